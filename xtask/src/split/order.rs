//! The order of a half's functions.
//!
//! A function's place means nothing to the program. Where functions that are alike stand side by side, brotli
//! finds more of each in what it has just seen, and where those of one type do, the list of types is short.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use wasm_encoder::{NameMap, NameSection, Section as _};
use wasmparser::{Parser, Payload, TypeRef};

/// A function of more bytes stands with others of its length. Of 150, 250, 400, 700 and 1 000, and of the same
/// without this, 400 gives the smallest first half.
const LONG: usize = 400;

/// The module with functions named after the places that they ought to have, for `wasm-opt
/// --reorder-functions-by-name`. It may have no names before.
///
/// # Errors
///
/// If it is no WebAssembly.
pub(super) fn with_places(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut imported = 0;
    let mut types = Vec::new();
    let mut bodies: Vec<&[u8]> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::FunctionSection(of) => types = of.into_iter().collect::<Result<_, _>>()?,
            Payload::CodeSectionEntry(body) => {
                bodies.push(wasm.get(body.range()).context("a body outside of the module")?);
            }
            _ => {}
        }
    }
    let functions = types.iter().zip(&bodies).zip(imported..);
    let mut ordered: Vec<_> =
        functions.map(|((ty, body), index)| ((body.len() > LONG, *ty, *body), index)).collect();
    ordered.sort_unstable();
    let places: BTreeMap<u32, String> = ordered
        .iter()
        .zip(0..)
        .map(|((_, index), place)| (*index, format!("{place:06}")))
        .collect();
    let mut names = NameMap::new();
    places.iter().for_each(|(index, place)| names.append(*index, place));
    let mut section = NameSection::new();
    section.functions(&names);
    let mut named = wasm.to_vec();
    section.append_to(&mut named);
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use walrus::Module;

    #[test]
    fn short_ones_come_first_then_types_then_what_is_alike() {
        let long = "(drop (i32.const 300000))".repeat(100);
        let wasm = wat::parse_str(format!(
            r#"(module
              (import "app" "note" (func (param i32)))
              (func (export "c") (result i32) (i32.const 7))
              (func (export "d") (result i32) {long} (i32.const 1))
              (func (export "a") (param i32))
              (func (export "b") (result i32) (i32.const 5)))"#
        ))
        .unwrap();
        let module = Module::from_buffer(&with_places(&wasm).unwrap()).unwrap();
        let mut ordered: Vec<_> = module
            .exports
            .iter()
            .map(|export| match export.item {
                walrus::ExportItem::Function(id) => {
                    (module.funcs.get(id).name.clone().unwrap(), export.name.as_str())
                }
                _ => unreachable!("there is nothing else"),
            })
            .collect();
        ordered.sort();
        let names: Vec<&str> = ordered.iter().map(|(_, name)| *name).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert!(with_places(b"no module").is_err());
    }
}
