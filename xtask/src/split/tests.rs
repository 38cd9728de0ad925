//! A small module, whole and in parts, gives the same answers.

use super::*;
use wasmi::{Caller, Engine, Extern, Func, Instance, Linker, Store, Val};

/// `app::later::…` comes later, `app::monitor::…` when it is asked for; what has no name of its own follows
/// who calls it.
const WHOLE: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "./app_bg.js" "__wbg_note_0123456789abcdef" (func $note (param i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (table 5 5 funcref)
  (elem (i32.const 1) $app::later::by_pointer $app::first $app::later::by_both $app::monitor::pointed_at)
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
  (func $aside (type $unary) (i32.sub (local.get 0) (i32.const 9)))
  (func $app::monitor::pointed_at (type $unary)
    (call $aside (call $app::later::direct (local.get 0))))
  (func $app::monitor::named (type $unary)
    (call $note (i32.const 77))
    (call $app::first (call $helper (call $aside (local.get 0)))))
  (func $app::later::asks (type $unary) (call $app::monitor::named (local.get 0)))
  (func (export "asks") (type $unary) (call $app::later::asks (local.get 0)))
  (func (export "direct") (type $unary) (call $app::later::direct (local.get 0)))
  (func (export "both") (type $unary) (call $app::later::by_both (local.get 0)))
  (func (export "wasm_bindgen_invoke_89abcdef") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func (export "calls") (result i32) (global.get $calls)))"#;

fn whole() -> Vec<u8> {
    wat::parse_str(WHOLE).unwrap()
}

fn parts() -> Parts {
    let part_of = |name: &str| match name {
        name if name.contains("::later::") => Some(Part::Later),
        name if name.contains("::monitor::") => Some(Part::Monitor),
        _ => None,
    };
    split(&whole(), &Constants::default(), part_of, |_| false).unwrap()
}

/// What the world outside saw.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    noted: Vec<i32>,
    loaded: [u32; 2],
}

fn noting(mut caller: Caller<'_, Seen>, number: i32) {
    caller.data_mut().noted.push(number);
}

/// Does what the loader in the page does.
fn load(mut caller: Caller<'_, Seen>, part: Part, wasm: &[u8]) {
    caller.data_mut().loaded[part as usize] += 1;
    let module = wasmi::Module::new(caller.engine(), wasm).unwrap();
    let mut linker = Linker::<Seen>::new(caller.engine());
    for import in module.imports() {
        let item = match import.module() {
            FIRST => caller.get_export(import.name()).unwrap(),
            _ => Extern::Func(Func::wrap(&mut caller, noting)),
        };
        linker.define(import.module(), import.name(), item).unwrap();
    }
    linker.instantiate_and_start(&mut caller, &module).unwrap();
    let Some(Extern::Global(loaded)) = caller.get_export(&part.is_loaded()) else {
        panic!("no global")
    };
    loaded.set(&mut caller, Val::I32(1)).unwrap();
}

struct Program {
    store: Store<Seen>,
    instance: Instance,
}

impl Program {
    fn start(wasm: &[u8], others: [Vec<u8>; 2]) -> Self {
        let engine = Engine::default();
        let mut store = Store::new(&engine, Seen::default());
        let module = wasmi::Module::new(&engine, wasm).unwrap();
        let mut linker = Linker::new(&engine);
        for import in module.imports() {
            if import.module() != LATER {
                linker.func_wrap(import.module(), import.name(), noting).unwrap();
            }
        }
        for (part, wasm) in Part::ALL.into_iter().zip(others) {
            let load = move |caller: Caller<'_, Seen>| load(caller, part, &wasm);
            linker.func_wrap(LATER, part.as_str(), load).unwrap();
        }
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
fn the_parts_answer_as_the_whole_does() {
    let Parts { first, others, renamed } = parts();
    let new = |old: &str| {
        let renamed = renamed.iter().find(|(name, _)| name == old);
        renamed.map_or(old.to_owned(), |(_, new)| new.clone())
    };
    let by_pointer = "wasm_bindgen_invoke_89abcdef";
    let calls: [(&str, &[i32]); 8] = [
        ("direct", &[5]),
        (by_pointer, &[4, 9]),
        ("asks", &[30]),
        (by_pointer, &[1, 7]),
        (by_pointer, &[2, 4]),
        ("both", &[6]),
        (by_pointer, &[3, 8]),
        ("calls", &[]),
    ];
    for start in 0..calls.len() {
        let mut whole = Program::start(&whole(), Default::default());
        let mut split = Program::start(&first, others.clone());
        for (name, arguments) in calls.iter().cycle().skip(start).take(2 * calls.len()) {
            let expected = whole.call(name, arguments);
            assert_eq!(split.call(&new(name), arguments), expected, "{name} {arguments:?}");
        }
        assert_eq!(split.store.data().noted, whole.store.data().noted);
        assert_eq!(split.store.data().loaded, [1, 1], "each loaded once");
    }
}

#[test]
fn the_first_part_starts_and_works_alone() {
    let Parts { first, others, renamed } = parts();
    let mut program = Program::start(&first, others);
    let by_pointer = &renamed.iter().find(|(old, _)| old.starts_with("wasm_bindgen")).unwrap().1;

    assert_eq!(program.call(by_pointer, &[2, 4]), 12);
    assert_eq!(program.call("calls", &[]), 1);

    assert_eq!(program.store.data().loaded, [0, 0]);
}

#[test]
fn what_one_part_alone_calls_goes_with_it() {
    let Parts { first, others: [later, monitor], .. } = parts();
    let names = |wasm: &[u8]| {
        let module = parse(wasm).unwrap();
        let local =
            module.funcs.iter_local().filter_map(|(id, _)| module.funcs.get(id).name.clone());
        local.collect::<BTreeSet<String>>()
    };
    let places = |name: &str| [&first, &later, &monitor].map(|wasm| names(wasm).contains(name));
    assert_eq!(places("app::first"), [true, false, false]);
    // The monitor calls it, too.
    assert_eq!(places("helper"), [true, true, false], "a stub, and the function");
    assert_eq!(places("aside"), [false, false, true]);
}

#[test]
fn long_names_are_gone_from_all_parts() {
    let Parts { first, others: [later, monitor], renamed } = parts();
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    for wasm in [&first, &later, &monitor] {
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
        assert!(
            split(&wasm, &Constants::default(), |_| Some(Part::Later), |_| false).is_err(),
            "{what}"
        );
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
    let Parts { first, .. } = split(&wasm, &Constants::default(), |_| None, dead).unwrap();
    let names = |module: &Module| functions(module).len();
    assert_eq!(names(&parse(&wasm).unwrap()), 3);
    assert_eq!(names(&parse(&first).unwrap()), 2, "what only they called is gone");

    let called = |name: &str| name.contains("only_there");
    assert!(split(&wasm, &Constants::default(), |_| None, called).is_err(), "it is called");
}

#[test]
fn copies_of_a_function_have_its_name() {
    let cases = [
        ("a::b", "a::b"),
        ("a::b[1]", "a::b"),
        ("a::b::<[u8; 4usize]>[12]", "a::b::<[u8; 4usize]>"),
        ("a::b[1234567890123456]", "a::b[1234567890123456]"),
    ];
    for (name, expected) in cases {
        assert_eq!(without_number(name), expected);
    }
}
