//! What another part has of the first: functions, memory, tables, globals.

use super::{FIRST, graph::Index};
use std::collections::BTreeSet;
use walrus::{ExportItem, FunctionId, FunctionKind, GlobalKind, ImportedFunction, Module};

/// One thing that the first part exports under a name, and another imports.
#[derive(Debug)]
pub(super) struct Loan {
    name: String,
    what: What,
}

/// A thing's kind, and its place among its kind in the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Function(Index),
    Memory(usize),
    Table(usize),
    Global(usize),
}

/// Makes all but these functions an import, and drops what is not needed then. What it imports joins the loans,
/// once for all parts.
pub(super) fn borrow(
    module: &mut Module,
    ids: &[FunctionId],
    own: &BTreeSet<Index>,
    loans: &mut Vec<Loan>,
) {
    let mut asked = Vec::new();
    for (index, id) in ids.iter().enumerate().filter(|(index, _)| !own.contains(index)) {
        let function = module.funcs.get_mut(*id);
        if matches!(function.kind, FunctionKind::Local(_)) {
            let import = module.imports.add(FIRST, "", *id);
            function.kind = FunctionKind::Import(ImportedFunction { import, ty: function.ty() });
            asked.push((import, What::Function(index)));
        }
    }
    for (place, memory) in module.memories.iter_mut().enumerate() {
        let import = module.imports.add(FIRST, "", memory.id());
        memory.import = Some(import);
        asked.push((import, What::Memory(place)));
    }
    for (place, table) in module.tables.iter_mut().enumerate() {
        let import = module.imports.add(FIRST, "", table.id());
        table.import = Some(import);
        asked.push((import, What::Table(place)));
    }
    let globals: Vec<_> = module.globals.iter().map(walrus::Global::id).collect();
    for (place, global) in globals.into_iter().enumerate() {
        let import = module.imports.add(FIRST, "", global);
        module.globals.get_mut(global).kind = GlobalKind::Import(import);
        asked.push((import, What::Global(place)));
    }
    walrus::passes::gc::run(module);
    let kept: BTreeSet<_> = module.imports.iter().map(walrus::Import::id).collect();
    for (import, what) in asked.into_iter().filter(|(import, _)| kept.contains(import)) {
        let lent = loans.iter().position(|loan| loan.what == what);
        let place = lent.unwrap_or_else(|| {
            // No export of wasm-bindgen's is a mere number.
            loans.push(Loan { name: loans.len().to_string(), what });
            loans.len() - 1
        });
        module.imports.get_mut(import).name.clone_from(&loans[place].name);
    }
}

/// Exports what the other parts import.
pub(super) fn lend(module: &mut Module, ids: &[FunctionId], loans: &[Loan]) {
    let memories: Vec<_> = module.memories.iter().map(walrus::Memory::id).collect();
    let tables: Vec<_> = module.tables.iter().map(walrus::Table::id).collect();
    let globals: Vec<_> = module.globals.iter().map(walrus::Global::id).collect();
    for Loan { name, what } in loans {
        let item = match *what {
            What::Function(index) => ExportItem::Function(ids[index]),
            What::Memory(place) => ExportItem::Memory(memories[place]),
            What::Table(place) => ExportItem::Table(tables[place]),
            What::Global(place) => ExportItem::Global(globals[place]),
        };
        module.exports.add(name, item);
    }
}
