//! Which constants belong to which part: texts, tables of methods, tables of numbers.
//!
//! A linker knows which function refers to which constant, and tells it where it is asked to
//! (`--emit-relocs`). A constant to which functions of one part alone lead is filled in by that part.
//!
//! # Source
//!
//! "WebAssembly Object File Linking", WebAssembly tool conventions: the sections `linking` and `reloc.*`.

use super::Part;
use anyhow::{Context, Result, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use walrus::{ConstExpr, DataKind, Module, ir::Value};
use wasmparser::{
    KnownCustom, Linking, Name, Operator, Parser, Payload, RelocationEntry, RelocationType,
    SymbolInfo,
};

/// How the names of segments begin that nothing is written to.
const READ_ONLY: &str = ".rodata";

/// How far apart constants may lie that are filled in together, in bytes.
const NEAR: u32 = 16;

/// A symbol, by its place in the linker's table.
type Symbol = u32;

/// What refers to which constants.
#[derive(Debug, Default)]
pub(super) struct Constants {
    /// Where each lies in memory.
    places: BTreeMap<Symbol, Range<u32>>,
    /// By the name of a function.
    named_by: BTreeMap<String, BTreeSet<Symbol>>,
    /// Constants that hold the addresses of others.
    leads_to: BTreeMap<Symbol, BTreeSet<Symbol>>,
}

/// Where something lies in the file, and in memory.
#[derive(Clone, Debug)]
struct Segment {
    file: Range<usize>,
    memory: u32,
}

/// What is gathered on the way through the file.
#[derive(Debug, Default)]
struct Read {
    segments: Vec<Segment>,
    segment_names: Vec<String>,
    /// Of each function with a body.
    bodies: Vec<Range<usize>>,
    imported: u32,
    code_starts: usize,
    data_starts: usize,
    names: BTreeMap<u32, String>,
    symbols: Vec<Option<(u32, Range<u32>)>>,
    of_code: Vec<RelocationEntry>,
    of_data: Vec<RelocationEntry>,
}

impl Constants {
    /// Reads what the linker made.
    ///
    /// # Errors
    ///
    /// If it is no WebAssembly, or the linker was not asked to say what refers to what.
    pub(super) fn read(linked: &[u8]) -> Result<Self> {
        let read = Read::of(linked)?;
        if read.of_code.is_empty() || read.segment_names.is_empty() {
            bail!("the linker did not say which function refers to what (--emit-relocs)");
        }
        let mut constants = Self::default();
        for (symbol, place) in (0..).zip(&read.symbols) {
            let Some((segment, within)) = place else { continue };
            let at = read.segments.get(*segment as usize).context("a symbol without a segment")?;
            let name = read.segment_names.get(*segment as usize).map_or("", String::as_str);
            if name.starts_with(READ_ONLY) && !within.is_empty() {
                let place = at.memory + within.start..at.memory + within.end;
                constants.places.insert(symbol, place);
            }
        }
        for entry in read.of_code.iter().filter(|entry| refers_to_memory(entry.ty)) {
            let at = read.code_starts + entry.offset as usize;
            let body = read.bodies.partition_point(|body| body.end <= at);
            let function = read.imported + u32::try_from(body)?;
            let name = read.names.get(&function).context("a function without a name")?;
            constants.named_by.entry(name.clone()).or_default().insert(entry.index);
        }
        let holders = read.holders();
        for entry in read.of_data.iter().filter(|entry| refers_to_memory(entry.ty)) {
            let at = read.data_starts + entry.offset as usize;
            for holder in holders.iter().filter(|(place, _)| place.contains(&at)) {
                constants.leads_to.entry(holder.1).or_default().insert(entry.index);
            }
        }
        Ok(constants)
    }

    /// Where the constants of each part lie; what is left belongs to the first. `parts_of` tells where functions
    /// of a name are: none is the first part.
    pub(super) fn of_parts(
        &self,
        parts_of: impl Fn(&str) -> BTreeSet<Option<Part>>,
    ) -> [Vec<Range<u32>>; 2] {
        let mut roots: BTreeMap<Option<Part>, BTreeSet<Symbol>> = BTreeMap::new();
        for (function, symbols) in &self.named_by {
            for part in parts_of(function) {
                roots.entry(part).or_default().extend(symbols);
            }
        }
        let reached = |part| self.reached(roots.get(&part).into_iter().flatten().copied());
        let (first, later) = (reached(None), reached(Some(Part::Later)));
        let monitor = reached(Some(Part::Monitor));
        // Texts share their ends: a byte belongs to the part that needs it soonest.
        let mut needed: BTreeMap<u32, u8> = BTreeMap::new();
        for (symbol, place) in &self.places {
            let soonest = match symbol {
                symbol if first.contains(symbol) => 0,
                symbol if later.contains(symbol) => 1,
                symbol if monitor.contains(symbol) => 2,
                // Nothing is known of it.
                _ => 0,
            };
            for byte in place.clone() {
                needed.entry(byte).and_modify(|old| *old = soonest.min(*old)).or_insert(soonest);
            }
        }
        [1, 2].map(|part| {
            let of_part = needed.iter().filter(|(_, soonest)| **soonest == part);
            ranges(of_part.map(|(byte, _)| *byte))
        })
    }

    fn reached(&self, roots: impl Iterator<Item = Symbol>) -> BTreeSet<Symbol> {
        let (mut reached, mut open) = (BTreeSet::new(), roots.collect::<Vec<_>>());
        while let Some(symbol) = open.pop() {
            if reached.insert(symbol) {
                open.extend(self.leads_to.get(&symbol).into_iter().flatten());
            }
        }
        reached
    }
}

impl Read {
    fn of(linked: &[u8]) -> Result<Self> {
        let mut read = Self::default();
        let (mut section, mut code, mut data) = (0, None, None);
        for payload in Parser::new(0).parse_all(linked) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(imports) => {
                    for import in imports.clone().into_imports() {
                        let is_function = matches!(import?.ty, wasmparser::TypeRef::Func(_));
                        read.imported += u32::from(is_function);
                    }
                }
                Payload::CodeSectionStart { range, .. } => {
                    (code, read.code_starts) = (Some(section), range.start);
                }
                Payload::CodeSectionEntry(body) => read.bodies.push(body.range()),
                Payload::DataSection(segments) => {
                    (data, read.data_starts) = (Some(section), segments.range().start);
                    for segment in segments.clone() {
                        read.segments.push(segment_of(&segment?)?);
                    }
                }
                Payload::CustomSection(custom) => match custom.as_known() {
                    KnownCustom::Name(names) => read.read_names(names)?,
                    KnownCustom::Linking(linking) => {
                        for subsection in linking.subsections() {
                            read.read_linking(subsection?)?;
                        }
                    }
                    KnownCustom::Reloc(reloc) => {
                        let entries = reloc.entries().into_iter();
                        let entries = entries.collect::<Result<Vec<_>, _>>()?;
                        match Some(reloc.section_index()) {
                            of if of == code => read.of_code = entries,
                            of if of == data => read.of_data = entries,
                            _ => {}
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
            // Bodies are parts of a section.
            section += u32::from(payload.as_section().is_some());
        }
        Ok(read)
    }

    fn read_names(&mut self, names: wasmparser::NameSectionReader<'_>) -> Result<()> {
        for subsection in names {
            if let Name::Function(functions) = subsection? {
                for function in functions {
                    let function = function?;
                    // wasm-bindgen writes names so.
                    let name = rustc_demangle::demangle(function.name).to_string();
                    self.names.insert(function.index, name);
                }
            }
        }
        Ok(())
    }

    fn read_linking(&mut self, subsection: Linking<'_>) -> Result<()> {
        match subsection {
            Linking::SegmentInfo(segments) => {
                for segment in segments {
                    self.segment_names.push(segment?.name.to_owned());
                }
            }
            Linking::SymbolTable(symbols) => {
                for symbol in symbols {
                    let place = match symbol? {
                        SymbolInfo::Data { symbol: Some(at), .. } => {
                            Some((at.index, at.offset..at.offset + at.size))
                        }
                        _ => None,
                    };
                    self.symbols.push(place);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Where each symbol lies in the file.
    fn holders(&self) -> Vec<(Range<usize>, Symbol)> {
        let defined = (0..).zip(&self.symbols).filter_map(|(symbol, place)| {
            let (segment, within) = place.as_ref()?;
            let start = self.segments.get(*segment as usize)?.file.start;
            Some((start + within.start as usize..start + within.end as usize, symbol))
        });
        defined.collect()
    }
}

fn segment_of(segment: &wasmparser::Data<'_>) -> Result<Segment> {
    let wasmparser::DataKind::Active { offset_expr, .. } = &segment.kind else {
        bail!("data that is copied at run time cannot be split");
    };
    let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
        bail!("data at a place that is not known");
    };
    let end = segment.range.end;
    Ok(Segment { file: end - segment.data.len()..end, memory: value.cast_unsigned() })
}

fn refers_to_memory(ty: RelocationType) -> bool {
    use RelocationType::{
        MemoryAddrI32, MemoryAddrLeb, MemoryAddrLocrelI32, MemoryAddrRelSleb, MemoryAddrSleb,
    };
    matches!(
        ty,
        MemoryAddrI32 | MemoryAddrLeb | MemoryAddrLocrelI32 | MemoryAddrRelSleb | MemoryAddrSleb
    )
}

/// Neighbours in one range.
fn ranges(bytes: impl Iterator<Item = u32>) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for byte in bytes {
        match ranges.last_mut() {
            Some(last) if last.end == byte => last.end += 1,
            _ => ranges.push(byte..byte + 1),
        }
    }
    ranges
}

/// Takes these bytes out of what a module puts into memory.
pub(super) fn clear(module: &mut Module, ranges: &[Range<u32>]) {
    let ids: Vec<_> = module.data.iter().map(walrus::Data::id).collect();
    for id in ids {
        let data = module.data.get_mut(id);
        for range in ranges {
            if let Some(within) = within(data, range) {
                data.value[within].fill(0);
            }
        }
    }
}

/// These bytes of what a module puts into memory, with their places. What lies between near ones comes with
/// them: nothing is written there, and a place of its own would weigh more.
pub(super) fn copy(module: &Module, ranges: &[Range<u32>]) -> Vec<(u32, Vec<u8>)> {
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start - last.end <= NEAR => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    let bytes = |range: &Range<u32>| {
        let mut found = module.data.iter();
        found.find_map(|data| Some(data.value[within(data, range)?].to_vec()))
    };
    joined.iter().filter_map(|range| Some((range.start, bytes(range)?))).collect()
}

fn within(data: &walrus::Data, range: &Range<u32>) -> Option<Range<usize>> {
    let DataKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = data.kind else {
        return None;
    };
    let place = |at: u32| Some(at.checked_sub(start.cast_unsigned())? as usize);
    let within = place(range.start)?..place(range.end)?;
    (within.end <= data.value.len()).then_some(within)
}

/// Has a module put these bytes into memory when it starts.
pub(super) fn put(module: &mut Module, bytes: Vec<(u32, Vec<u8>)>) -> Result<()> {
    for (place, value) in bytes {
        let memory = module.memories.iter().next().context("no memory")?.id();
        let offset = ConstExpr::Value(Value::I32(place.cast_signed()));
        let id = module.data.add(DataKind::Active { memory, offset }, value);
        module.memories.get_mut(memory).data_segments.insert(id);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
