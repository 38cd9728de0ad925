//! Which function leads to which.

use std::collections::{BTreeMap, BTreeSet};
use walrus::{
    ElementItems, ExportItem, FunctionId, FunctionKind, LocalFunction, Module,
    ir::{Visitor, dfs_in_order},
};

/// A function's place among the functions of the whole, the same each time it is read.
pub(super) type Index = usize;

/// The functions of a module as it was read, in order.
pub(super) fn functions(module: &Module) -> Vec<FunctionId> {
    module.funcs.iter().map(walrus::Function::id).collect()
}

/// Each function with those that it calls or names.
#[derive(Debug)]
pub(super) struct Graph {
    indices: BTreeMap<FunctionId, Index>,
    named_by: Vec<BTreeSet<Index>>,
    imports: BTreeSet<Index>,
    exported: BTreeSet<Index>,
    /// What can be called without being named: by pointer, or from outside.
    roots: BTreeSet<Index>,
}

impl Graph {
    pub(super) fn new(module: &Module) -> Self {
        let indices: BTreeMap<FunctionId, Index> =
            functions(module).into_iter().enumerate().map(|(index, id)| (id, index)).collect();
        let all = |ids: &mut dyn Iterator<Item = FunctionId>| -> BTreeSet<Index> {
            ids.map(|id| indices[&id]).collect()
        };
        let named_by = module.funcs.iter().map(|function| match &function.kind {
            FunctionKind::Local(local) => all(&mut named_in(local).into_iter()),
            FunctionKind::Import(_) | FunctionKind::Uninitialized(_) => BTreeSet::new(),
        });
        let named_by = named_by.collect();
        let is_import =
            |function: &&walrus::Function| matches!(function.kind, FunctionKind::Import(_));
        let imports = all(&mut module.funcs.iter().filter(is_import).map(walrus::Function::id));
        let exported = all(&mut module.exports.iter().filter_map(|export| match export.item {
            ExportItem::Function(id) => Some(id),
            _ => None,
        }));
        let pointed_at = module.elements.iter().flat_map(|element| match &element.items {
            ElementItems::Functions(ids) => ids.as_slice(),
            ElementItems::Expressions(..) => &[],
        });
        let mut roots = all(&mut pointed_at.copied().chain(module.start));
        roots.extend(&exported);
        Self { indices, named_by, imports, exported, roots }
    }

    pub(super) fn index(&self, id: FunctionId) -> Index {
        self.indices[&id]
    }

    /// The functions with a body whose names are of a kind.
    pub(super) fn named(&self, module: &Module, is_it: impl Fn(&str) -> bool) -> BTreeSet<Index> {
        let local = module.funcs.iter_local().map(|(id, _)| module.funcs.get(id));
        local
            .filter(|function| function.name.as_deref().is_some_and(&is_it))
            .map(|function| self.index(function.id()))
            .collect()
    }

    /// These, and what nothing but these leads to.
    pub(super) fn only_through(&self, these: &BTreeSet<Index>) -> BTreeSet<Index> {
        let others = self.roots.difference(these).copied();
        let elsewhere = self.reached(others, |index| !these.contains(&index));
        let is_here = |index| !elsewhere.contains(&index) && !self.imports.contains(&index);
        self.reached(these.iter().copied(), is_here)
    }

    /// Which of these the others name, or the world outside.
    pub(super) fn called_from_outside(&self, these: &BTreeSet<Index>) -> BTreeSet<Index> {
        let others = self.named_by.iter().enumerate().filter(|(index, _)| !these.contains(index));
        let called = others.flat_map(|(_, named)| named).chain(&self.exported).copied();
        called.filter(|index| these.contains(index)).collect()
    }

    fn reached(
        &self,
        starts: impl Iterator<Item = Index>,
        may_enter: impl Fn(Index) -> bool,
    ) -> BTreeSet<Index> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<Index> = starts.collect();
        while let Some(index) = open.pop() {
            if may_enter(index) && reached.insert(index) {
                open.extend(&self.named_by[index]);
            }
        }
        reached
    }
}

/// Collects what a function calls or names.
#[derive(Debug, Default)]
struct Named(BTreeSet<FunctionId>);

impl Visitor<'_> for Named {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.0.insert(*function);
    }
}

fn named_in(function: &LocalFunction) -> BTreeSet<FunctionId> {
    let mut named = Named::default();
    dfs_in_order(&mut named, function, function.entry_block());
    named.0
}
