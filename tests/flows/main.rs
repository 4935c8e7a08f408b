//! Black-box flows on real parts.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod bus;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod chapter_3;
mod denials;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod guessing;
#[cfg(test)]
mod help_desk;
mod https;
mod import;
#[cfg(test)]
mod life;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod reset;
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
