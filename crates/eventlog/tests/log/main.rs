//! The log on real PostgreSQL and NATS: one module per theme.

#[cfg(test)]
mod append;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod carried;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod combined;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod encryption;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod follow;
mod groups;
#[cfg(test)]
mod leaf;
#[cfg(test)]
mod lost_answers;
#[cfg(test)]
mod maintenance;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod segments;
#[cfg(test)]
mod stopped_clients;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transactions;
