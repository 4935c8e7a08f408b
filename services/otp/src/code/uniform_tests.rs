//! C-33: every code is as likely as any other.

use sekisho_eventlog::{FlowId, StreamId};
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::settings::KeyRing;
use uuid::Uuid;

use super::{Keys, Owner};

/// Three digits have so many values.
const CELLS: usize = 1_000;
/// Of a chi-square with 999 degrees of freedom: its mean and six standard deviations; one run in a hundred million.
const CRITICAL: f64 = 1_267.0;

/// How far the counts are from being all alike.
fn chi_square(values: impl Iterator<Item = usize>) -> f64 {
    let mut counts = vec![0_u32; CELLS];
    values.for_each(|value| counts[value] += 1);
    let all: u32 = counts.iter().sum();
    let expected = f64::from(all) / 1_000.0;
    counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum()
}

#[test]
fn codes_that_are_not_uniform_are_told_apart() {
    let uniform = || (0..20_000).map(|number| number % CELLS);
    assert!(chi_square(uniform()) < CRITICAL);
    // As if zeros in front were lost.
    let without_zeros = uniform().map(|value| if value < 100 { value * 10 } else { value });
    assert!(chi_square(without_zeros) > CRITICAL);
}

mod long_statistics {
    use super::*;

    #[test]
    #[ignore = "long tier"]
    fn twenty_thousand_codes_are_uniform_and_some_begin_with_a_zero() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let [high, low] = [(); 2].map(|()| u128::from_be_bytes(sekisho_service::entropy::bytes()));
        std::fs::write(file.path(), format!("k1 {high:032x}{low:032x}\n")).unwrap();
        let keys = Keys::new(KeyRing::read(file.path()).unwrap());
        let codes: Vec<String> = (0..20_000)
            .map(|number| {
                let owner = Owner {
                    account: StreamId(Uuid::from_u128(number / 5)),
                    flow: FlowId(Uuid::from_u128(number)),
                    purpose: Purpose::SignIn,
                };
                let digits = keys.code(owner, "k1", 1).unwrap();
                String::from_utf8(digits.expose().to_vec()).unwrap()
            })
            .collect();
        for half in [0..3, 3..6] {
            let values = codes.iter().map(|code| code[half.clone()].parse().unwrap());
            let distance = chi_square(values);
            println!("chi-square of the digits {half:?}: {distance:.0} (999 degrees of freedom)");
            assert!(distance < CRITICAL);
        }
        let with_zero = codes.iter().filter(|code| code.starts_with('0')).count();
        println!("{with_zero} of {} begin with a zero", codes.len());
        assert!(codes.iter().all(|code| code.len() == 6) && with_zero > 0);
    }
}
