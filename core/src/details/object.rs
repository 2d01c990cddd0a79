//! What documents of JSON are made of: objects whose keys are unique, and numbers.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

/// The entries in the order in which they were added. Parsers differ in which of two equal keys counts, so there are none.
#[derive(Debug)]
pub(super) struct Object<T> {
    entries: Vec<(String, T)>,
    positions: HashMap<String, usize>,
    /// The last number that an occupied key has got.
    numbers: HashMap<String, usize>,
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), positions: HashMap::new(), numbers: HashMap::new() }
    }
}

impl<T> Object<T> {
    /// Adds an entry. If the key is occupied, it gets a number: `disk`, `disk-2`, `disk-3`.
    pub(super) fn insert(&mut self, key: &str, value: T) {
        let mut free = key.to_owned();
        while self.positions.contains_key(&free) {
            let number = self.numbers.entry(key.to_owned()).or_insert(1);
            *number += 1;
            free = format!("{key}-{number}");
        }
        self.positions.insert(free.clone(), self.entries.len());
        self.entries.push((free, value));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> Object<Vec<T>> {
    /// Adds an item to the list of this key.
    pub(super) fn push(&mut self, key: String, item: T) {
        let end = self.entries.len();
        let position = *self.positions.entry(key.clone()).or_insert(end);
        match self.entries.get_mut(position) {
            Some((_, list)) => list.push(item),
            None => self.entries.push((key, vec![item])),
        }
    }
}

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries.iter().map(|(key, value)| (key, value)))
    }
}

/// A number as the log shows it: without a fraction if it has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Every reader of JSON keeps the integers up to this one (RFC 8259, section 6).
        const MAX_EXACT: f64 = 9_007_199_254_740_991.0;
        if self.0.fract() == 0.0 && self.0.abs() <= MAX_EXACT {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, Object};

    #[test]
    fn an_occupied_key_gets_a_number() {
        let mut object = Object::default();
        for key in ["disk", "disk-2", "disk", "disk", "mail", "disk"] {
            object.insert(key, object.entries.len());
        }
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"disk":0,"disk-2":1,"disk-3":2,"disk-4":3,"mail":4,"disk-5":5}"#
        );
    }

    #[test]
    fn a_whole_number_has_no_fraction() {
        let written = |number| serde_json::to_string(&Number(number)).unwrap();
        assert_eq!(written(2e9), "2000000000");
        assert_eq!(written(-0.0), "0");
        assert_eq!(written(0.5), "0.5");
        assert_eq!(written(9_007_199_254_740_991.0), "9007199254740991");
        assert_eq!(written(1e300), "1e+300");
    }

    #[test]
    fn items_of_one_key_are_one_list() {
        let mut object = Object::default();
        for (key, item) in [("disk", 1), ("mail", 2), ("disk", 3)] {
            object.push(key.to_owned(), item);
        }
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"disk":[1,3],"mail":[2]}"#);
    }
}
