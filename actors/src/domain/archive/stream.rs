//! From a stream of JSON to a typed part: serde's derives over the strict reader, so that only the part itself is ever in memory.

use crate::domain::archive::decode::ShapeError;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::lexer::{Keys, Kind, Reader};
use crate::{Error, Result};
use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::io::Read;

/// Reads the part `part` as a `T`; a wrong shape is the fault `shape`, with line and path.
pub(super) fn read<T: DeserializeOwned>(part: &str, input: impl Read, shape: ArchiveFault) -> Result<T> {
    let mut reader = Reader::new(part, input);
    let value = T::deserialize(Place(&mut reader)).map_err(|error| error.into_error(part, shape))?;
    reader.end()?;
    Ok(value)
}

/// Where the next value is.
struct Place<'r, 'a, R>(&'r mut Reader<'a, R>);

impl<'de, R: Read> de::Deserializer<'de> for Place<'_, '_, R> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let reader = self.0;
        let kind = reader.begin()?;
        let line = reader.line();
        let read = match kind {
            Kind::Map => visitor.visit_map(Members { reader, keys: Keys::default(), name: String::new() }),
            Kind::List => visitor.visit_seq(Items { reader, first: true, index: 0 }),
            Kind::Text => visitor.visit_string(reader.text()?),
            Kind::Number => super::decode::number(&reader.number()?, visitor),
            Kind::Word => match reader.word()? {
                Some(flag) => visitor.visit_bool(flag),
                None => visitor.visit_unit(),
            },
        };
        read.map_err(|error: ShapeError| error.on(line))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0.null()? {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let kind = self.0.begin()?;
        let line = self.0.line();
        let read = match kind {
            Kind::Text => visitor.visit_enum(Word(self.0.text()?)),
            _ => Err(de::Error::custom("a string was expected")),
        };
        read.map_err(|error: ShapeError| error.on(line))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'r, 'a, R> {
    reader: &'r mut Reader<'a, R>,
    first: bool,
    index: usize,
}

impl<'de, R: Read> SeqAccess<'de> for Items<'_, '_, R> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ShapeError> {
        if !self.reader.next_item(&mut self.first)? {
            return Ok(None);
        }
        let index = self.index;
        self.index += 1;
        seed.deserialize(Place(self.reader)).map(Some).map_err(|error| error.within(format!("[{index}]")))
    }
}

struct Members<'r, 'a, R> {
    reader: &'r mut Reader<'a, R>,
    keys: Keys,
    name: String,
}

impl<'de, R: Read> MapAccess<'de> for Members<'_, '_, R> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ShapeError> {
        let Some(key) = self.reader.next_key(&mut self.keys)? else { return Ok(None) };
        self.name.clone_from(&key);
        let text: StringDeserializer<ShapeError> = key.into_deserializer();
        let line = self.reader.line();
        seed.deserialize(text).map(Some).map_err(|error| error.on(line).within(format!(".{}", self.name)))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ShapeError> {
        seed.deserialize(Place(self.reader)).map_err(|error| error.within(format!(".{}", self.name)))
    }
}

struct Word(String);

impl<'de> EnumAccess<'de> for Word {
    type Error = ShapeError;
    type Variant = Plain;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Plain), ShapeError> {
        let text: StringDeserializer<ShapeError> = self.0.into_deserializer();
        Ok((seed.deserialize(text)?, Plain))
    }
}

/// A variant without content.
struct Plain;

impl<'de> VariantAccess<'de> for Plain {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ShapeError> {
        Err(de::Error::custom("a plain word was expected"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ShapeError> {
        Err(de::Error::custom("a plain word was expected"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, ShapeError> {
        Err(de::Error::custom("a plain word was expected"))
    }
}

impl From<Error> for ShapeError {
    fn from(fault: Error) -> Self {
        Self::because_of(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::archive::decode::decode;
    use crate::domain::archive::json;
    use std::collections::BTreeMap;

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Way {
        In,
        Out,
    }

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        flag: bool,
        way: Option<Way>,
        any: Option<serde_json::Value>,
    }

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        list: Vec<Inner>,
        #[serde(default)]
        map: BTreeMap<String, u64>,
    }

    /// Gives one byte at a time: every text is cut everywhere.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let n = into.len().min(1);
            self.0.read(&mut into[..n])
        }
    }

    fn streamed(bytes: &[u8]) -> Result<Outer, String> {
        let all = read("x", bytes, ArchiveFault::IamShape);
        let drip = read("x", Drip(bytes), ArchiveFault::IamShape);
        let text = |outcome: Result<Outer>| outcome.map_err(|error| error.message().to_owned());
        let (all, drip) = (text(all), text(drip));
        assert_eq!(all, drip);
        all
    }

    fn by_tree(bytes: &[u8]) -> Result<Outer, String> {
        let tree = json::parse("x", bytes).map_err(|error| error.message().to_owned())?;
        decode(&tree).map_err(|e| ArchiveFault::IamShape.error(format!("x, {e}")).message().to_owned())
    }

    #[test]
    fn a_stream_is_read_as_its_tree_is() {
        let good = "{\"list\": [{\"flag\": true, \"way\": \"in\", \"any\": {\"é\": [1, -2, 0.5, null, \"\\u20ac€\"]}},\n \
                    {\"flag\": false}], \"map\": {\"a\": 1, \"b\": 18446744073709551615}}  \n";
        assert_eq!(streamed(good.as_bytes()), by_tree(good.as_bytes()));
        assert!(streamed(good.as_bytes()).is_ok());
        for bad in [
            "{\"list\": [{\"flag\": true},\n{\"flag\": \"hush\"}]}",
            "{\"list\": [],\n\"more\": 1}",
            "{\n\"list\": [{}]}",
            "{\"list\": [{\"flag\": true, \"way\": \"up\"}]}",
            "{\"list\": [{\"flag\": true, \"way\": 3}]}",
            "{\"list\": [],\n\n\"map\": {\"a\": -1}}",
            "{\"list\": [], \"list\": []}",
            "{\"list\": [], \"map\": {\"a\": 1, \"\\u0061\": 1}}",
            "[]",
            "",
            "{\"list\": [] ",
            "{\"list\": [],}",
            "{\"list\": []} x",
        ] {
            assert_eq!(streamed(bad.as_bytes()), by_tree(bad.as_bytes()), "{bad}");
            assert!(streamed(bad.as_bytes()).is_err(), "{bad}");
        }
        for bytes in [b"{\"list\": [], \"\xff\": 1}".as_slice(), b"{\"list\": []}\xe2\x82"] {
            let error = read::<Outer>("x", bytes, ArchiveFault::IamShape).unwrap_err();
            assert_eq!(error.code(), Some("not_utf8"), "{error}");
        }
    }
}
