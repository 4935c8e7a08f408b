//! Figures and how they are printed.

use std::time::Duration;

/// How long each of many calls took.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// In any order.
    pub fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// How many calls.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// As long or shorter took so many of a thousand calls; nothing without calls.
    pub fn per_mille(&self, share: usize) -> Duration {
        let index = (self.0.len() * share / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(index).copied().unwrap_or_default()
    }

    /// The median.
    pub fn p50(&self) -> Duration {
        self.per_mille(500)
    }

    /// Of a hundred calls one took longer.
    pub fn p99(&self) -> Duration {
        self.per_mille(990)
    }
}

/// A rate a second.
#[expect(clippy::cast_precision_loss, reason = "a figure to print")]
pub fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// A duration in milliseconds.
pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// A number with spaces between thousands.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A table of what took how long.
pub fn table<'a>(rows: impl IntoIterator<Item = (&'a str, &'a Latencies)>) {
    table_head();
    for (what, times) in rows {
        table_row(what, times);
    }
}

/// The head of a table of what took how long, whose rows come one by one.
pub fn table_head() {
    head(&["what", "number", "p50", "p95", "p99", "longest"]);
}

/// One of its rows.
pub fn table_row(what: &str, times: &Latencies) {
    row(&[
        what.to_owned(),
        times.count().to_string(),
        ms(times.p50()),
        ms(times.per_mille(950)),
        ms(times.p99()),
        ms(times.per_mille(1000)),
    ]);
}

/// Rows of a Markdown table, printed as they come.
pub fn head(columns: &[&str]) {
    row(&columns
        .iter()
        .map(|&column| column.to_owned())
        .collect::<Vec<_>>());
    println!("|{}", " --- |".repeat(columns.len()));
}

/// One row.
pub fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}
