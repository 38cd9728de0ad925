//! A small module, whole and in halves, gives the same answers.

use super::*;
use wasmi::{Caller, Engine, Extern, Func, Instance, Linker, Store, Val};

/// `app::later::…` comes later; what has no name of its own follows who calls it.
const WHOLE: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "./app_bg.js" "__wbg_note_0123456789abcdef" (func $note (param i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (table 4 4 funcref)
  (elem (i32.const 1) $app::later::by_pointer $app::first $app::later::by_both)
  (data (i32.const 8) "\2a")
  (func $app::first (type $unary)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.mul (local.get 0) (i32.const 3)))
  (func $helper (type $unary) (i32.add (local.get 0) (i32.load8_u (i32.const 8))))
  (func $app::later::direct (type $unary)
    (call $note (local.get 0))
    (call $helper (call $app::first (local.get 0))))
  (func $app::later::by_pointer (type $unary)
    (i32.store8 (i32.const 8) (i32.const 1))
    (call $app::later::direct (local.get 0)))
  (func $app::later::by_both (type $unary)
    (call_indirect (type $unary) (local.get 0) (i32.const 2)))
  (func (export "direct") (type $unary) (call $app::later::direct (local.get 0)))
  (func (export "both") (type $unary) (call $app::later::by_both (local.get 0)))
  (func (export "wasm_bindgen_invoke_89abcdef") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func (export "calls") (result i32) (global.get $calls)))"#;

fn whole() -> Vec<u8> {
    wat::parse_str(WHOLE).unwrap()
}

fn halves() -> Halves {
    split(&whole(), |name| name.contains("::later::"), |_| false).unwrap()
}

/// What the world outside saw.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    noted: Vec<i32>,
    loaded: u32,
}

fn noting(mut caller: Caller<'_, Seen>, number: i32) {
    caller.data_mut().noted.push(number);
}

/// Does what the loader in the page does.
fn load(mut caller: Caller<'_, Seen>, later: &[u8]) {
    caller.data_mut().loaded += 1;
    let module = wasmi::Module::new(caller.engine(), later).unwrap();
    let mut linker = Linker::<Seen>::new(caller.engine());
    for import in module.imports() {
        let item = match import.module() {
            FIRST => caller.get_export(import.name()).unwrap(),
            _ => Extern::Func(Func::wrap(&mut caller, noting)),
        };
        linker.define(import.module(), import.name(), item).unwrap();
    }
    linker.instantiate_and_start(&mut caller, &module).unwrap();
    let Some(Extern::Global(loaded)) = caller.get_export(IS_LOADED) else { panic!("no global") };
    loaded.set(&mut caller, Val::I32(1)).unwrap();
}

struct Program {
    store: Store<Seen>,
    instance: Instance,
}

impl Program {
    fn start(wasm: &[u8], later: Vec<u8>) -> Self {
        let engine = Engine::default();
        let mut store = Store::new(&engine, Seen::default());
        let module = wasmi::Module::new(&engine, wasm).unwrap();
        let mut linker = Linker::new(&engine);
        for import in module.imports() {
            if import.module() != LATER {
                linker.func_wrap(import.module(), import.name(), noting).unwrap();
            }
        }
        linker
            .func_wrap(LATER, LOAD, move |caller: Caller<'_, Seen>| load(caller, &later))
            .unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        Self { store, instance }
    }

    fn call(&mut self, name: &str, arguments: &[i32]) -> i32 {
        let function = self.instance.get_func(&self.store, name).unwrap();
        let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
        let mut result = [Val::I32(0)];
        function.call(&mut self.store, &arguments, &mut result).unwrap();
        result[0].i32().unwrap()
    }
}

/// Calls in several orders: whichever is first must load the rest.
#[test]
fn the_halves_answer_as_the_whole_does() {
    let Halves { first, later, renamed } = halves();
    let new = |old: &str| {
        let renamed = renamed.iter().find(|(name, _)| name == old);
        renamed.map_or(old.to_owned(), |(_, new)| new.clone())
    };
    let by_pointer = "wasm_bindgen_invoke_89abcdef";
    let calls: [(&str, &[i32]); 6] = [
        ("direct", &[5]),
        (by_pointer, &[1, 7]),
        (by_pointer, &[2, 4]),
        ("both", &[6]),
        (by_pointer, &[3, 8]),
        ("calls", &[]),
    ];
    for start in 0..calls.len() {
        let mut whole = Program::start(&whole(), Vec::new());
        let mut split = Program::start(&first, later.clone());
        for (name, arguments) in calls.iter().cycle().skip(start).take(2 * calls.len()) {
            let expected = whole.call(name, arguments);
            assert_eq!(split.call(&new(name), arguments), expected, "{name} {arguments:?}");
        }
        assert_eq!(split.store.data().noted, whole.store.data().noted);
        assert_eq!(split.store.data().loaded, 1, "loaded once");
    }
}

#[test]
fn the_first_half_starts_and_works_alone() {
    let Halves { first, later, renamed } = halves();
    let mut program = Program::start(&first, later);
    let by_pointer = &renamed.iter().find(|(old, _)| old.starts_with("wasm_bindgen")).unwrap().1;

    assert_eq!(program.call(by_pointer, &[2, 4]), 12);
    assert_eq!(program.call("calls", &[]), 1);

    assert_eq!(program.store.data().loaded, 0);
}

#[test]
fn what_only_later_functions_call_comes_later() {
    let Halves { first, later, .. } = halves();
    let names = |wasm: &[u8]| {
        let module = parse(wasm).unwrap();
        let local =
            module.funcs.iter_local().filter_map(|(id, _)| module.funcs.get(id).name.clone());
        local.collect::<BTreeSet<String>>()
    };
    assert!(names(&later).contains("helper") && !names(&first).contains("helper"));
    assert!(names(&first).contains("app::first") && !names(&later).contains("app::first"));
}

#[test]
fn long_names_are_gone_from_both_halves() {
    let Halves { first, later, renamed } = halves();
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    for wasm in [&first, &later] {
        let text = String::from_utf8_lossy(wasm);
        assert!(!text.contains("0123456789abcdef") && !text.contains("89abcdef"));
    }
}

#[test]
fn a_module_that_cannot_be_split_is_refused() {
    let modules = [
        ("no table", "(module)"),
        ("data copied at run time", r#"(module (memory 1) (table 1 funcref) (data "a"))"#),
        ("not WebAssembly", "(module"),
    ];
    for (what, text) in modules {
        let wasm = wat::parse_str(text).unwrap_or_default();
        assert!(split(&wasm, |_| true, |_| false).is_err(), "{what}");
    }
}

#[test]
fn what_is_never_called_leaves_a_trap() {
    let wasm = wat::parse_str(
        r#"(module
          (table (export "table") 2 2 funcref)
          (elem (i32.const 1) $streams::pull)
          (func $only_there (result i32) (i32.const 424242))
          (func $streams::pull (result i32) (call $only_there))
          (func (export "run") (result i32) (i32.const 7)))"#,
    )
    .unwrap();
    let dead = |name: &str| name.contains("streams::");
    let Halves { first, .. } = split(&wasm, |_| false, dead).unwrap();
    let names = |module: &Module| functions(module).len();
    assert_eq!(names(&parse(&wasm).unwrap()), 3);
    assert_eq!(names(&parse(&first).unwrap()), 2, "what only they called is gone");

    let called = |name: &str| name.contains("only_there");
    assert!(split(&wasm, |_| false, called).is_err(), "it is called");
}
