//! `sekisho completions`

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Writes the completion script of a program.
///
/// # Errors
/// If the output cannot be written.
pub fn write<A: CommandFactory>(shell: Shell, output: &mut impl Write) -> io::Result<()> {
    // clap panics on an output that is closed early; a buffer never is.
    let mut script = Vec::new();
    let mut command = A::command();
    let name = command.get_name().to_owned();
    generate(shell, &mut command, name, &mut script);
    output.write_all(&script)
}
