//! Black-box flows on real parts.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod attention;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod bus;
#[cfg(test)]
mod callers;
mod chapter_3;
mod denials;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod gates;
mod grid;
#[cfg(test)]
mod guessing;
#[cfg(test)]
mod help_desk;
mod https;
mod import;
#[cfg(test)]
mod injections;
#[cfg(test)]
mod keyboard;
#[cfg(test)]
mod life;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod reset;
mod screens;
#[cfg(test)]
mod script;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod traces;
mod trouble;
