use crate::testing::{LIMITS, Run, value};
use crate::{EvalErrorKind, Expression};

#[test]
fn what_the_grammar_lacks_is_javascript() {
    let run = Run::default();
    for (source, expected) in [
        (
            "$json.items.filter(i => i.k === $json.tags[0] || i.v > $context.user.level - 1)",
            r#"[{"k":"a","v":3}]"#,
        ),
        (
            "$json.items.map(({ k, v }) => `${k}${v + $json.n}`)",
            r#"["a6","b7","a8"]"#,
        ),
        (
            "Object.entries($json.o).reduce((acc, [key, value]) => { acc[key] = value + 1; return acc; }, {})",
            r#"{"a":2}"#,
        ),
        (
            "'My Title!'.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')",
            r#""my-title""#,
        ),
        ("new Date().toISOString()", r#""2025-12-31T23:59:59.999Z""#),
        ("new Date($now).getTime() === Date.now()", "true"),
        ("new Date(0)", r#""1970-01-01T00:00:00.000Z""#),
        ("new Date('nonsense')", "null"),
        (
            "[new Date(86400000)].concat([1])",
            r#"["1970-01-02T00:00:00.000Z",1]"#,
        ),
        ("JSON.parse('{\"a\": [1, 2.5]}')", r#"{"a":[1,2.5]}"#),
        ("JSON.stringify($json.o, null, 2)", r#""{\n  \"a\": 1\n}""#),
        ("[1, [2, [3]]].flat(Infinity)", "[1,2,3]"),
        ("[3, 1, 2].sort((a, b) => b - a)", "[3,2,1]"),
        ("$json.nope?.map(x => x)", "null"),
        (
            "[undefined, null, () => 1].slice(0, 2).map(x => x)",
            "[null,null]",
        ),
        ("[2 ** 53, 0.5, -0].map(x => x)", "[9007199254740992.0,0.5,0]"),
        (
            "$utils.uppercase('a') + [1].map(x => $utils.join([x, 2], '-'))[0]",
            r#""A1-2""#,
        ),
        ("(() => $input.first().json.x + $input.all().length)()", "2"),
        ("(() => $steps.a)().result", r#""ONE""#),
        ("Object.keys((() => $nodes)()).length", "3"),
        ("(() => $steps['with-dash'].result.length)()", "3"),
        ("(x => x.map($json => $json))([1])", "[1]"),
        ("['a\\ud83d', 'b'].map(x => x)", "[\"a\u{fffd}\",\"b\"]"),
        ("[1, 2].map((x) =>\n  x * 2 // twice\n)", "[2,4]"),
        ("$json.items?.[0]?.k.repeat(2)", r#""aa""#),
        ("Array.from({ length: 3 }, (_, i) => i)", "[0,1,2]"),
        ("[...new Set([1, 1, 2])]", "[1,2]"),
    ] {
        let compiled = Expression::compile(source, &run).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert!(compiled.is_script(), "{source}");
        assert_eq!(
            run.evaluate(&compiled)
                .unwrap_or_else(|e| panic!("{source}: {e}")),
            expected,
            "{source}"
        );
        assert_eq!(run.evaluate(&compiled).unwrap(), expected, "{source}, again");
    }
}

#[test]
fn results_that_are_no_values_are_errors() {
    let run = Run::default();
    for (source, part) in [
        ("() => 1", "function"),
        ("[() => 1]", "function"),
        ("Symbol('x')", "symbol"),
        ("[NaN].map(x => x)", "NaN"),
        ("[1].map(x => x / 0)", "infinite"),
        ("(() => { const a = {}; a.a = a; return a; })()", "holds itself"),
        ("Promise.resolve(1)", "promise"),
        ("(() => { throw new TypeError('so'); })()", "TypeError: so"),
        ("(() => { throw 'text'; })()", "text"),
        ("(() => { throw { get message() { throw 1; } }; })()", "object"),
        ("[1].nope()", "not a function"),
        ("$json.nope.filter(x => x)", "filter"),
        ("({ get a() { throw new Error('getter'); } })", "getter"),
    ] {
        let error = run.eval(source).expect_err(source);
        assert_eq!(error.kind, EvalErrorKind::Failed, "{source}: {error}");
        assert!(error.message.contains(part), "{source}: {error}");
        assert!(error.message.chars().count() <= 520, "{error}");
    }
    assert_eq!(run.eval("[1].map(x => x)").unwrap(), "[1]");
}

#[test]
fn hostile_scripts_end_and_the_next_one_works() {
    let run = Run::default();
    for (source, kinds) in [
        ("(() => { while (true) {} })()", "Time"),
        (
            "(() => { try { while (true) {} } catch (e) {} return 1; })()",
            "Time",
        ),
        ("/(a+)+$/.test('a'.repeat(40) + 'b')", "Time"),
        (
            "(() => { const s = 'a'.repeat(4e6); for (;;) s.toUpperCase(); })()",
            "Time",
        ),
        (
            "(() => { const s = 'a'.repeat(4e6), o = {}; for (let i = 0;; i++) o[s + i]; })()",
            "Time",
        ),
        (
            "(() => { const a = Array(1e5).fill(1); while (true) [...a]; })()",
            "Time",
        ),
        (
            "(() => { const s = 'a'.repeat(4e6), f = x => x > 1e6 ? 1 : f(x + (s + x in {}) + 1); return f(0); })()",
            "Time Size",
        ),
        (
            "[...Array(4e5).keys()].map(x => new Set('abc'.repeat(1e5)).size + x)",
            "Time",
        ),
        (
            "(() => { for (;;) { try { while (true) {} } catch {} finally { continue; } } })()",
            "Time",
        ),
        ("'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e6))", "Failed"),
        ("String.raw({ raw: { length: 2 ** 53 } })", "Failed"),
        ("Array(4294967295).toLocaleString()", "Failed"),
        ("'x'.repeat(1e9)", "Size"),
        ("[...Array(1e9)]", "Size Failed"),
        ("Array(1e8).fill(0)", "Failed Size"),
        ("Array(4294967295).indexOf(1)", "Failed"),
        ("[Array(4294967295)].flat()", "Failed"),
        ("[].concat(Array(4294967295))", "Failed"),
        (
            "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
            "Failed",
        ),
        (
            "(() => { const a = []; a.length = 4294967295; return a.includes(1); })()",
            "Failed",
        ),
        ("(() => { const a = []; a[4294967290] = 1; return a; })()", "Size"),
        ("Array.from({ length: 1e12 })", "Size Failed"),
        ("'a'.repeat(1e6).indexOf('a'.repeat(5e5) + 'b')", "Failed"),
        ("(() => { const f = () => f(); return f(); })()", "Size"),
        ("(() => { let a = []; for (;;) a = [a, a]; })()", "Size Time"),
        ("(() => { let s = 'x'; for (;;) s += s; })()", "Size Failed"),
        (
            "(() => { let a = [1]; for (let i = 0; i < 60; i++) a = [a, a]; return a; })()",
            "Size",
        ),
        ("'x'.repeat(2e6)", "Size"),
        ("JSON.parse('['.repeat(1e5))", "Size Failed"),
        ("(() => { throw 'x'.repeat(1e6); })()", "Failed"),
        ("({ get a() { for (;;) {} } })", "Time"),
        (
            "[1].map(x => $utils.join(Array(1e6).fill('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), ','))",
            "Failed Size Time",
        ),
        (
            "new Array(1e6).fill().map(() => new Promise(r => r()).then(() => 1)) && 1",
            "Size Time",
        ),
    ] {
        let error = run.eval(source).expect_err(source);
        let kind = format!("{:?}", error.kind);
        assert!(kinds.contains(&kind), "{source}: {kind} {error}");
        assert_eq!(
            run.eval("[1, 2].map(x => x * 2)").unwrap(),
            "[2,4]",
            "after {source}"
        );
    }
}

#[test]
fn an_evaluation_leaves_nothing_for_the_next() {
    let run = Run::default();
    let probe = "(() => [typeof globalThis.leak, Object.keys(globalThis).length, [].leak, [1].map(x => x).length, \
                 Math.leak, JSON.leak, (() => {}).leak, /a/.leak, new Date(0).leak, ''.leak])()";
    let clean = run.eval(probe).unwrap();
    for source in [
        "(() => { globalThis.leak = 1; })()",
        "(() => { let other; leak = 1; })()",
        "(() => { this.leak = 1; })()",
        "(() => { Array.prototype.leak = 1; })()",
        "(() => { Array.prototype.map = () => []; })()",
        "(() => { Array.prototype.push = 1; })()",
        "(() => { Object.prototype.leak = 1; })()",
        "(() => { Object.defineProperty(Object.prototype, 'leak', { value: 1 }); })()",
        "(() => { Math.leak = 1; })()",
        "(() => { $utils.leak = 1; })()",
        "(() => { JSON.leak = 1; })()",
        "(() => { (() => {}).__proto__.leak = 1; })()",
        "(() => { Object.getPrototypeOf(function* () {}).leak = 1; })()",
        "(() => { Object.getPrototypeOf([].values()).leak = 1; })()",
        "(() => { /a/.constructor.prototype.leak = 1; })()",
        "(() => { Error.prepareStackTrace = () => 1; return 1; })()",
        "(() => { Date.now = () => 1; })()",
        "(() => { [].constructor.constructor('globalThis.leak = 1')(); })()",
        "(() => { (function () {}).constructor('return 1')(); })()",
        "(() => { (function* () {}).constructor('yield 1')(); })()",
        "(() => { ({}).__proto__.leak = 1; })()",
        "(() => { ''.constructor.prototype.leak = 1; })()",
        "(() => { eval('var leak = 1'); })()",
        "(() => { new Function('leak = 1')(); })()",
    ] {
        // Whether it is refused or has no effect is the engine's; that nothing is left is ours.
        if let Ok(compiled) = Expression::compile(source, &run) {
            let _ = run.evaluate(&compiled);
        }
        assert_eq!(run.eval(probe).unwrap(), clean, "after {source}");
        assert_eq!(run.eval("(() => Error.prepareStackTrace)()").unwrap(), "null");
    }
}

#[test]
fn there_is_nothing_outside_to_reach() {
    let run = Run::default();
    for name in [
        "require",
        "process",
        "std",
        "os",
        "bjson",
        "console",
        "print",
        "scriptArgs",
        "fetch",
        "setTimeout",
        "eval",
        "Function",
        "Atomics",
        "SharedArrayBuffer",
        "Proxy",
        "WeakRef",
        "FinalizationRegistry",
        "BigInt",
        "performance",
        "Worker",
        "navigator",
        "queueMicrotask",
        "gc",
        "load",
        "loadScript",
        "WebAssembly",
        "__loadScript",
        "$utils2",
    ] {
        assert_eq!(
            run.eval(&format!("(() => typeof globalThis['{name}'])()"))
                .unwrap(),
            "\"undefined\"",
            "{name}"
        );
    }
}

#[test]
fn tenants_have_contexts_of_their_own() {
    let mut run = Run::default();
    // What is frozen cannot be changed; a change that gets through would be seen by the same tenant at most.
    let stain = "(() => { try { Object.getPrototypeOf(async () => 1); } catch {} return 1; })"
        .replace("async () => 1", "() => 1");
    let _ = run.eval(&format!("{stain}()"));
    for tenant in 0..20 {
        run.tenant = format!("t{tenant}");
        run.json = value(&format!(r#"{{"n": {tenant}}}"#));
        assert_eq!(
            run.eval("[1].map(x => x + $json.n)[0]").unwrap(),
            (tenant + 1).to_string()
        );
    }
    run.tenant = String::new();
    assert_eq!(run.eval("[1].map(x => x)[0]").unwrap(), "1");
}

#[test]
fn scripts_run_on_any_thread_and_depth() {
    fn deep(left: usize, run: &Run) -> String {
        let pad = [left; 256];
        if left == 0 {
            return run.eval("[1].map(x => x)").unwrap();
        }
        let found = deep(left - 1, run);
        assert_eq!(pad[left % 256], left);
        found
    }
    let run = Run::default();
    assert_eq!(run.eval("[1].map(x => x)").unwrap(), "[1]");
    assert_eq!(deep(200, &run), "[1]");
    std::thread::spawn(|| assert_eq!(Run::default().eval("[2].map(x => x)").unwrap(), "[2]"))
        .join()
        .unwrap();
}

#[test]
fn memory_that_was_used_before_is_not_counted() {
    let run = Run::default();
    let compiled =
        Expression::compile("Array.from({ length: 1e4 }, (_, i) => ({ i })).length", &run).unwrap();
    for _ in 0..200 {
        let mut out = Vec::new();
        compiled.evaluate(&run, &LIMITS, &mut out).unwrap();
    }
}
