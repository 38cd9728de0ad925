//! Splits the app's WebAssembly: what the first frame needs, what can come later, and what only a developer
//! asks for.
//!
//! trunk cannot split. It runs this on what wasm-bindgen made, before anything is inlined across the
//! border. A function of another part leaves a stub in the first one, which calls through the table
//! of functions and loads that part if nobody has yet. So every call is right at any time, and
//! where the borders lie is a matter of speed alone.

mod constants;
mod graph;
mod hook;
mod later;
mod lend;
mod order;

use anyhow::{Context, Result, bail};
use constants::{Constants, clear, copy, put};
use graph::{Graph, Index, functions};
pub(crate) use hook::{after_build, bare};
use lend::{Loan, borrow, lend};
use std::collections::{BTreeMap, BTreeSet};
use walrus::{
    ConstExpr, DataKind, ElementItems, ElementKind, FunctionBuilder, FunctionId, FunctionKind,
    InstrSeqBuilder, LocalId, Module, ModuleConfig, TableId, ValType,
    ir::{UnaryOp, Value},
};

/// The module that the other parts import: the exports of the first.
const FIRST: &str = "first";
/// The module of the functions that stubs call to load a part, each named after its part. They throw if they
/// cannot load.
const LATER: &str = "later";

/// What does not come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// After the first frame.
    Later,
    /// When a developer asks for it: what `window.cacheMonitor` does.
    Monitor,
}

impl Part {
    const ALL: [Self; 2] = [Self::Later, Self::Monitor];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Monitor => "monitor",
        }
    }

    /// The first part's global that is 1 once this one is there.
    fn is_loaded(self) -> String {
        format!("{}_is_loaded", self.as_str())
    }
}

/// The parts of a module.
#[derive(Debug)]
struct Parts {
    /// Starts alone.
    pub first: Vec<u8>,
    /// By [`Part`]: each fills the first part's table when it is instantiated.
    pub others: [Vec<u8>; 2],
    /// Names of the whole, each with what it is now.
    pub renamed: Vec<(String, String)>,
}

/// Splits a module; `part_of` tells by a function's name where it belongs. What only functions of other parts
/// call goes with them, and so do constants. Of those that are never called, as `is_dead` tells, nothing stays but
/// a trap.
///
/// # Errors
///
/// If the module is not one as wasm-bindgen makes it.
fn split(
    wasm: &[u8],
    constants: &Constants,
    part_of: impl Fn(&str) -> Option<Part>,
    is_dead: impl Fn(&str) -> bool,
) -> Result<Parts> {
    let ready = || {
        let mut module = parse(wasm)?;
        drop_exports(&mut module)?;
        empty(&mut module, &is_dead)?;
        let renamed = shorten_names(&mut module);
        Ok::<_, anyhow::Error>((module, renamed))
    };
    let (mut first, renamed) = ready()?;
    let plan = Plan::new(&first, part_of)?;
    let places = plan.places(&first);
    let own = constants.of_parts(|name| places.get(name).cloned().unwrap_or_default());
    own.iter().for_each(|own| clear(&mut first, own));
    let mut loans = Vec::new();
    let mut make = |part| {
        let (mut module, _) = ready()?;
        let constants = copy(&module, &own[part as usize]);
        plan.keep(&mut module, part, &mut loans)?;
        put(&mut module, constants)?;
        Ok::<_, anyhow::Error>(module.emit_wasm())
    };
    let others = [make(Part::Later)?, make(Part::Monitor)?];
    plan.keep_first(&mut first, &loans)?;
    Ok(Parts { first: first.emit_wasm(), others, renamed })
}

fn parse(wasm: &[u8]) -> Result<Module> {
    let mut module = ModuleConfig::new().generate_producers_section(false).parse(wasm)?;
    // What the linker said is of the module as it was.
    let told = |name: &str| name == "linking" || name.starts_with("reloc.");
    let told = module.customs.iter().filter(|(_, section)| told(section.name()));
    for id in told.map(|(id, _)| id).collect::<Vec<_>>() {
        module.customs.delete(id);
    }
    Ok(module)
}

/// What crates export and nobody uses, by the start of its names: streams that the app never makes, and the mark
/// by which another tool knows what to split.
const UNUSED: [&str; 3] = ["intounderlying", "__wbg_intounderlying", "_WASM_SPLIT_MARKER"];

fn drop_exports(module: &mut Module) -> Result<()> {
    let all = module.exports.iter().map(|export| export.name.clone());
    let unused: Vec<String> =
        all.filter(|name| UNUSED.iter().any(|start| name.starts_with(start))).collect();
    unused.iter().try_for_each(|name| module.exports.remove(name))
}

/// Empties dead functions, which the table of functions holds still.
fn empty(module: &mut Module, is_dead: impl Fn(&str) -> bool) -> Result<()> {
    // What only the exports led to that are gone calls them, too.
    walrus::passes::gc::run(module);
    let graph = Graph::new(module);
    let dead = graph.named(module, is_dead);
    let ids = functions(module);
    if let Some(called) = graph.called_from_outside(&dead).first() {
        bail!("this is called, and was never to be: {:?}", module.funcs.get(ids[*called]).name);
    }
    for id in dead.into_iter().map(|index| ids[index]) {
        rewrite(module, id, |body, _| {
            body.unreachable();
        });
    }
    Ok(())
}

/// Gives a function another body, which is told its arguments.
fn rewrite(
    module: &mut Module,
    id: FunctionId,
    write: impl FnOnce(&mut InstrSeqBuilder<'_>, &[LocalId]),
) {
    let (params, results) = module.types.params_results(module.funcs.get(id).ty());
    let (params, results) = (params.to_vec(), results.to_vec());
    let args: Vec<_> = params.iter().map(|param| module.locals.add(*param)).collect();
    let mut function = FunctionBuilder::new(&mut module.types, &params, &results);
    write(&mut function.func_body(), &args);
    module.funcs.get_mut(id).kind = FunctionKind::Local(function.local_func(args));
}

/// Gives each import, and each export named after Rust's types, a short name by its place, and returns
/// each old name with its new one. wasm-bindgen's hold hashes, which stand in each part and in the
/// JavaScript and do not compress.
fn shorten_names(module: &mut Module) -> Vec<(String, String)> {
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let exports = exports.filter(|name| name.starts_with("wasm_bindgen"));
    let numbered = imports.enumerate().map(|(place, name)| (format!("i{place}"), name));
    let numbered =
        numbered.chain(exports.enumerate().map(|(place, name)| (format!("x{place}"), name)));
    numbered.map(|(new, name)| (std::mem::replace(name, new.clone()), new)).collect()
}

/// What does not come first, and at which slots of the table.
#[derive(Debug)]
struct Plan {
    /// By [`Part`].
    own: [BTreeSet<Index>; 2],
    /// Of each such function that another part can reach.
    slots: BTreeMap<Index, Vec<u32>>,
    /// Of those, the ones that another part calls by name and the whole has no slot for. Their slots
    /// follow those of the whole.
    new: Vec<Index>,
    /// How many slots the whole has.
    slots_of_whole: u32,
}

impl Plan {
    fn new(whole: &Module, part_of: impl Fn(&str) -> Option<Part>) -> Result<Self> {
        let graph = Graph::new(whole);
        let monitor = graph.named(whole, |name| part_of(name) == Some(Part::Monitor));
        let monitor = graph.only_through(&monitor);
        let either = graph.named(whole, |name| part_of(name).is_some());
        let either: BTreeSet<Index> = either.union(&monitor).copied().collect();
        let later = graph.only_through(&either).difference(&monitor).copied().collect();
        let own = [later, monitor];
        let (table, slots_of_whole) = function_table(whole)?;
        let mut slots: BTreeMap<Index, Vec<u32>> = BTreeMap::new();
        for (slot, id) in slots_of(whole, table)? {
            let index = graph.index(id);
            if own.iter().any(|own| own.contains(&index)) {
                slots.entry(index).or_default().push(slot);
            }
        }
        let called: BTreeSet<Index> =
            own.iter().flat_map(|own| graph.called_from_outside(own)).collect();
        let new: Vec<Index> = called.into_iter().filter(|f| !slots.contains_key(f)).collect();
        slots.extend(new.iter().copied().zip((slots_of_whole..).map(|slot| vec![slot])));
        Ok(Self { own, slots, new, slots_of_whole })
    }

    /// Which parts have functions of each name; none is the first.
    fn places(&self, whole: &Module) -> BTreeMap<String, BTreeSet<Option<Part>>> {
        let mut places: BTreeMap<String, BTreeSet<Option<Part>>> = BTreeMap::new();
        for (index, id) in functions(whole).into_iter().enumerate() {
            let part = Part::ALL.into_iter().find(|part| self.own[*part as usize].contains(&index));
            if let Some(name) = &whole.funcs.get(id).name {
                places.entry(without_number(name).to_owned()).or_default().insert(part);
            }
        }
        places
    }

    fn slots_of(&self, part: Part) -> impl Iterator<Item = (&Index, &Vec<u32>)> {
        let own = &self.own[part as usize];
        self.slots.iter().filter(|(index, _)| own.contains(index))
    }

    /// Makes a part of the whole. What it borrows from the first joins the loans.
    fn keep(&self, module: &mut Module, part: Part, loans: &mut Vec<Loan>) -> Result<()> {
        let ids = functions(module);
        let (table, _) = function_table(module)?;
        forget_contents(module)?;
        self.grow(module, table);
        let by_slot: BTreeMap<u32, FunctionId> = self
            .slots_of(part)
            .flat_map(|(index, slots)| slots.iter().map(|slot| (*slot, ids[*index])))
            .collect();
        for (start, run) in runs(by_slot) {
            add_segment(module, table, start, run);
        }
        borrow(module, &ids, &self.own[part as usize], loans);
        Ok(())
    }

    /// Makes the first part of the whole: each function of another becomes a stub.
    fn keep_first(&self, module: &mut Module, loans: &[Loan]) -> Result<()> {
        let ids = functions(module);
        let (table, _) = function_table(module)?;
        for part in Part::ALL {
            let door = Door::new(module, table, part);
            for (index, slots) in self.slots_of(part) {
                door.replace(module, ids[*index], slots[0])?;
            }
        }
        self.grow(module, table);
        let stubs = self.new.iter().map(|index| ids[*index]).collect();
        add_segment(module, table, self.slots_of_whole, stubs);
        lend(module, &ids, loans);
        walrus::passes::gc::run(module);
        Ok(())
    }

    /// Makes room for the new slots; in each part, as all must agree on the table.
    fn grow(&self, module: &mut Module, table: TableId) {
        let size = u64::from(self.slots_of_whole) + self.new.len() as u64;
        let table = module.tables.get_mut(table);
        table.initial = table.initial.max(size);
        table.maximum = table.maximum.map(|maximum| maximum.max(size));
    }
}

/// wasm-bindgen numbers functions of one name: `f`, `f[1]`, `f[2]`.
fn without_number(name: &str) -> &str {
    let number = name.strip_suffix(']').and_then(|name| name.rsplit_once('['));
    let is_short = |number: &str| number.len() < 5 && number.bytes().all(|b| b.is_ascii_digit());
    number.filter(|(_, number)| is_short(number)).map_or(name, |(name, _)| name)
}

/// The way from the first part into another.
#[derive(Debug)]
struct Door {
    table: TableId,
    /// Loads it, unless it is there.
    open: FunctionId,
}

impl Door {
    fn new(module: &mut Module, table: TableId, part: Part) -> Self {
        let nothing = module.types.add(&[], &[]);
        let (load, _) = module.add_import_func(LATER, part.as_str(), nothing);
        let zero = ConstExpr::Value(Value::I32(0));
        let is_loaded = module.globals.add_local(ValType::I32, true, false, zero);
        module.exports.add(&part.is_loaded(), is_loaded);
        let mut open = FunctionBuilder::new(&mut module.types, &[], &[]);
        open.func_body().global_get(is_loaded).unop(UnaryOp::I32Eqz).if_else(
            None,
            |missing| {
                missing.call(load);
            },
            |_| {},
        );
        Self { table, open: open.finish(Vec::new(), &mut module.funcs) }
    }

    /// The function becomes a call of what lies at the slot once the part is there.
    fn replace(&self, module: &mut Module, id: FunctionId, slot: u32) -> Result<()> {
        let (ty, slot) = (module.funcs.get(id).ty(), i32::try_from(slot)?);
        rewrite(module, id, |body, args| {
            body.call(self.open);
            for arg in args {
                body.local_get(*arg);
            }
            body.i32_const(slot).call_indirect(ty, self.table);
        });
        Ok(())
    }
}

/// The table that calls by pointer go through, and its size.
fn function_table(module: &Module) -> Result<(TableId, u32)> {
    let table = module.tables.main_function_table()?.context("no table of functions")?;
    Ok((table, u32::try_from(module.tables.get(table).initial)?))
}

/// What the table holds at the start.
fn slots_of(module: &Module, table: TableId) -> Result<Vec<(u32, FunctionId)>> {
    let mut slots = Vec::new();
    for element in module.elements.iter() {
        match (&element.kind, &element.items) {
            (
                ElementKind::Active { table: of, offset: ConstExpr::Value(Value::I32(start)) },
                ElementItems::Functions(ids),
            ) if *of == table => {
                slots.extend((u32::try_from(*start)?..).zip(ids.iter().copied()));
            }
            other => bail!("a segment of a table that cannot be split: {other:?}"),
        }
    }
    Ok(slots)
}

fn add_segment(module: &mut Module, table: TableId, start: u32, functions: Vec<FunctionId>) {
    let offset = ConstExpr::Value(Value::I32(start.cast_signed()));
    let kind = ElementKind::Active { table, offset };
    let id = module.elements.add(kind, ElementItems::Functions(functions));
    module.tables.get_mut(table).elem_segments.insert(id);
}

/// Neighbours in one run, each with the slot of its first.
fn runs(by_slot: BTreeMap<u32, FunctionId>) -> Vec<(u32, Vec<FunctionId>)> {
    let mut runs: Vec<(u32, Vec<FunctionId>)> = Vec::new();
    let mut next = None;
    for (slot, function) in by_slot {
        match runs.last_mut() {
            Some((_, run)) if next == Some(slot) => run.push(function),
            _ => runs.push((slot, vec![function])),
        }
        next = Some(slot + 1);
    }
    runs
}

/// What memory and table hold at the start, and what the world sees, stays with the first part.
fn forget_contents(module: &mut Module) -> Result<()> {
    if module.data.iter().any(|data| matches!(data.kind, DataKind::Passive)) {
        bail!("data that is copied at run time cannot be split");
    }
    for id in module.data.iter().map(walrus::Data::id).collect::<Vec<_>>() {
        module.data.delete(id);
    }
    for memory in module.memories.iter_mut() {
        memory.data_segments.clear();
    }
    for id in module.elements.iter().map(walrus::Element::id).collect::<Vec<_>>() {
        module.elements.delete(id);
    }
    for table in module.tables.iter_mut() {
        table.elem_segments.clear();
    }
    for id in module.exports.iter().map(walrus::Export::id).collect::<Vec<_>>() {
        module.exports.delete(id);
    }
    module.start = None;
    Ok(())
}

#[cfg(test)]
mod tests;
