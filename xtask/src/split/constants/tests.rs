//! A small module with what a linker says of it.

use super::*;
use crate::split::{Parts, parse, split};
use wasm_encoder::{
    CustomSection, DataSymbolDefinition, Encode as _, LinkingSection, Section as _, SymbolTable,
};

/// Three texts and a constant that holds the address of the third, a body for each function that names one.
const WHOLE: &str = r#"(module
  (memory (export "memory") 1)
  (table (export "table") 1 1 funcref)
  (data (i32.const 1024) "firstlaterby address\00\00\00\00\0a\04\00\00")
  (func $app::first (export "a") (result i32) (i32.load8_u (i32.const 1024)))
  (func $app::later (export "b") (result i32) (i32.load8_u (i32.const 1029)))
  (func $app::monitor (export "c") (result i32) (i32.load8_u (i32.load (i32.const 1048)))))"#;
/// By symbol: where it lies in the segment, and the function that names it.
const SYMBOLS: [(Range<u32>, Option<u32>); 4] =
    [(0..5, Some(0)), (5..10, Some(1)), (10..20, None), (24..28, Some(2))];

fn reloc(name: &'static str, section: u32, entries: &[(u32, u32)]) -> Vec<u8> {
    let mut data = Vec::new();
    section.encode(&mut data);
    u32::try_from(entries.len()).unwrap().encode(&mut data);
    for (offset, symbol) in entries {
        data.push(RelocationType::MemoryAddrI32 as u8);
        offset.encode(&mut data);
        symbol.encode(&mut data);
        data.push(0);
    }
    let mut bytes = Vec::new();
    CustomSection { name: name.into(), data: data.into() }.append_to(&mut bytes);
    bytes
}

fn linked(segment: &str) -> Vec<u8> {
    let whole = wat::parse_str(WHOLE).unwrap();
    let read = Read::of(&whole).unwrap();
    let mut symbols = SymbolTable::new();
    for (symbol, (place, _)) in (0..).zip(&SYMBOLS) {
        let size = place.end - place.start;
        let at = DataSymbolDefinition { index: 0, offset: place.start, size };
        symbols.data(0, &format!("symbol {symbol}: {size}"), Some(at));
    }
    let mut linking = LinkingSection::new();
    linking.symbol_table(&symbols);
    let mut bytes = whole;
    linking.append_to(&mut bytes);
    // The encoder has no names of segments.
    let mut info = vec![2, 5, u8::try_from(segment.len()).unwrap() + 4, 1];
    info.push(u8::try_from(segment.len()).unwrap());
    info.extend(segment.bytes());
    info.extend([0, 0]);
    CustomSection { name: "linking".into(), data: info.into() }.append_to(&mut bytes);
    let offset = |at: usize, start: usize| u32::try_from(at - start).unwrap();
    let of_code = (0..).zip(&SYMBOLS).filter_map(|(symbol, (_, function))| {
        let body = &read.bodies[(*function)? as usize];
        Some((offset(body.start + 2, read.code_starts), symbol))
    });
    bytes.extend(reloc("reloc.CODE", section_of(&bytes, "code"), &of_code.collect::<Vec<_>>()));
    let address = read.segments[0].file.start + 24;
    let of_data = [(offset(address, read.data_starts), 2)];
    bytes.extend(reloc("reloc.DATA", section_of(&bytes, "data"), &of_data));
    bytes
}

fn section_of(wasm: &[u8], name: &str) -> u32 {
    let payloads = Parser::new(0).parse_all(wasm).map(Result::unwrap);
    let sections = payloads.filter(|payload| payload.as_section().is_some());
    let is_it = |payload: &Payload<'_>| match payload {
        Payload::CodeSectionStart { .. } => name == "code",
        Payload::DataSection(_) => name == "data",
        _ => false,
    };
    (0..).zip(sections).find(|(_, payload)| is_it(payload)).unwrap().0
}

fn part_of(name: &str) -> Option<Part> {
    match name {
        "app::later" => Some(Part::Later),
        "app::monitor" => Some(Part::Monitor),
        _ => None,
    }
}

/// What a module puts into memory, by place, without zeros.
fn contents(wasm: &[u8]) -> BTreeMap<u32, u8> {
    let module = parse(wasm).unwrap();
    let mut contents = BTreeMap::new();
    for data in module.data.iter() {
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = data.kind else {
            panic!("{:?}", data.kind);
        };
        let bytes = (start.cast_unsigned()..).zip(data.value.iter().copied());
        contents.extend(bytes.filter(|(_, byte)| *byte != 0));
    }
    contents
}

#[test]
fn each_constant_goes_with_those_who_lead_to_it() {
    let linked = linked(".rodata");
    let constants = Constants::read(&linked).unwrap();
    let Parts { first, others: [later, monitor], .. } =
        split(&linked, &constants, part_of, |_| false).unwrap();
    let places = |wasm| contents(wasm).into_keys().collect::<BTreeSet<u32>>();
    assert_eq!(places(&first), (1024..1029).collect());
    assert_eq!(places(&later), (1029..1034).collect());
    let by_address = (1034..1044).chain(1048..1050).collect();
    assert_eq!(places(&monitor), by_address, "the text, and what holds its address");
    let all = [first, later, monitor].iter().flat_map(|wasm| contents(wasm)).collect();
    assert_eq!(contents(&linked), all);
}

#[test]
fn what_is_written_to_stays_with_the_first() {
    let linked = linked(".data");
    let constants = Constants::read(&linked).unwrap();
    let Parts { first, others, .. } = split(&linked, &constants, part_of, |_| false).unwrap();
    assert_eq!(contents(&first), contents(&linked));
    assert!(others.iter().all(|other| contents(other).is_empty()));
}

#[test]
fn a_linker_that_says_nothing_is_found_out() {
    let whole = wat::parse_str(WHOLE).unwrap();
    assert!(Constants::read(&whole).unwrap_err().to_string().contains("--emit-relocs"));
}
