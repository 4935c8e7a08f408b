//! All sessions, each of which is found by its token and by its id.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use slab::Slab;

use super::ids::SessionId;
use super::session::Session;
use super::token::TokenDigest;

/// Sessions in one block of memory, with two indexes of numbers beside it: a million of them take some 150 bytes each.
#[derive(Debug, Default)]
pub(super) struct Table {
    sessions: Slab<Session>,
    by_token: HashTable<usize>,
    by_id: HashTable<usize>,
    hasher: RandomState,
}

impl Table {
    pub fn with_token(&self, token: TokenDigest) -> Option<&Session> {
        let is_it = |key: &usize| self.sessions[*key].token == token;
        let key = self.by_token.find(self.hasher.hash_one(token), is_it)?;
        Some(&self.sessions[*key])
    }

    pub fn with_id(&self, id: SessionId) -> Option<&Session> {
        self.key_of(id).map(|key| &self.sessions[key])
    }

    pub fn with_id_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.key_of(id).map(|key| &mut self.sessions[key])
    }

    /// Puts a session in. One that is found by the same token or id must be taken out before.
    pub fn insert(&mut self, session: Session) {
        let Self {
            sessions,
            by_token,
            by_id,
            hasher,
        } = self;
        let (token, id) = (session.token, session.id);
        let key = sessions.insert(session);
        by_token.insert_unique(hasher.hash_one(token), key, |key| {
            hasher.hash_one(sessions[*key].token)
        });
        by_id.insert_unique(hasher.hash_one(id), key, |key| hasher.hash_one(sessions[*key].id));
    }

    /// Takes a session out.
    pub fn remove(&mut self, token: TokenDigest) -> Option<Session> {
        let hash = self.hasher.hash_one(token);
        let is_it = |key: &usize| self.sessions[*key].token == token;
        let (key, _) = self.by_token.find_entry(hash, is_it).ok()?.remove();
        let session = self.sessions.remove(key);
        let hash = self.hasher.hash_one(session.id);
        // It was put in with both.
        if let Ok(entry) = self.by_id.find_entry(hash, |other| *other == key) {
            entry.remove();
        }
        Some(session)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().map(|(_, session)| session)
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    fn key_of(&self, id: SessionId) -> Option<usize> {
        let is_it = |key: &usize| self.sessions[*key].id == id;
        self.by_id.find(self.hasher.hash_one(id), is_it).copied()
    }
}

/// Whatever order they came in.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|session| other.with_token(session.token) == Some(session))
    }
}
