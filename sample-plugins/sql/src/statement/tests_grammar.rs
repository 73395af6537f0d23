//! A grammar of statements, many of which make no sense.

use std::fmt::Write as _;

use proptest::prelude::*;

/// Names of columns, some of which are nowhere.
fn column() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec!["id", "id", "tenantId", "\"tenantId\"", "TENANTID", "[id]"]);
    let other = prop::sample::select(vec![
        "item",
        "price",
        "name",
        "orders.id",
        "users.id",
        "o.item",
        "u.name",
        "x.id",
        "c.name",
        "excluded.id",
        "`item`",
        "code",
        "secret",
        "rowid",
    ]);
    prop_oneof![5 => plain, 1 => other].prop_map(str::to_owned)
}

fn literal() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "1",
        "2",
        "900001",
        "900005",
        "NULL",
        "'a'",
        "'acme'",
        "'FOREIGN'",
        "'it''s'",
        "'\\'''",
        "'--'",
        "2.5",
        "-1",
        "true",
        "?",
        "x'41'",
        "''",
    ])
    .prop_map(str::to_owned)
}

fn table() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        "orders",
        "orders",
        "users",
        "main.orders",
        "\"orders\"",
        "ORDERS",
    ]);
    let other = prop::sample::select(vec!["countries", "secrets", "w", "v", "sqlite_schema"]);
    prop_oneof![8 => plain, 1 => other].prop_map(str::to_owned)
}

fn alias() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "", " AS o", " u", " AS x", " AS orders", " AS w", " c"])
        .prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![column(), literal()];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), operator(), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("NOT {a}")),
            inner.clone().prop_map(|a| format!("{a} IS NULL")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
            inner.clone().prop_map(|a| format!("count({a})")),
            inner.clone().prop_map(|a| format!("max({a})")),
            // These fail for some values.
            inner
                .clone()
                .prop_map(|a| format!("abs(CASE WHEN {a} THEN -9223372036854775807 - 1 ELSE 1 END) = 1")),
            inner.clone().prop_map(|a| format!("json({a})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("{a} LIKE {b} ESCAPE {c}")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("CASE WHEN {a} THEN {b} ELSE {c} END")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} IN ({b}, {c})")),
            (inner.clone(), table(), alias(), inner.clone())
                .prop_map(|(a, t, n, b)| format!("{a} IN (SELECT {b} FROM {t}{n})")),
            (table(), alias(), inner.clone())
                .prop_map(|(t, n, a)| format!("EXISTS (SELECT 1 FROM {t}{n} WHERE {a})")),
            (inner.clone(), table(), alias())
                .prop_map(|(a, t, n)| format!("(SELECT {a} FROM {t}{n} LIMIT 1)")),
            (inner.clone(), table()).prop_map(|(a, t)| format!("{a} IN {t}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} BETWEEN {b} AND 900031")),
        ]
    })
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "=",
        "<>",
        "<",
        ">=",
        "OR",
        "AND",
        "||",
        "+",
        "IS",
        "LIKE",
        "-",
        "*",
        "OR 1 = 1 OR",
        "/* */ = --\n",
    ])
}

fn from() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        4 => (table(), alias()).prop_map(|(t, n)| format!("{t}{n}")),
        1 => (table(), expression(), alias()).prop_map(|(t, e, n)| format!("(SELECT * FROM {t} WHERE {e}){n}")),
        1 => (expression(), expression(), table()).prop_map(|(a, b, t)| format!("(SELECT {a} AS id, {b} AS item FROM {t}) AS x")),
        1 => (table(), alias(), table(), alias()).prop_map(|(a, m, b, n)| format!("({a}{m} JOIN {b}{n})")),
    ];
    let join = prop::sample::select(vec![
        ", ",
        " JOIN ",
        " LEFT JOIN ",
        " CROSS JOIN ",
        " NATURAL JOIN ",
        " FULL JOIN ",
    ]);
    (
        one.clone(),
        prop::collection::vec((join, one, expression(), any::<bool>()), 0..3),
    )
        .prop_map(|(first, rest)| {
            let mut text = first;
            for (join, table, on, has_on) in rest {
                let _ = write!(text, "{join}{table}");
                if has_on && join != ", " && join != " NATURAL JOIN " {
                    let _ = write!(text, " ON {on}");
                }
            }
            text
        })
}

/// A query.
pub(super) fn select() -> impl Strategy<Value = String> {
    let one = (
        prop::sample::select(vec!["*", "*", "DISTINCT *", "orders.*", ""]),
        prop::collection::vec(expression(), 1..3),
        from(),
        prop::option::of(expression()),
        prop::option::of(column()),
    )
        .prop_map(|(star, items, from, filter, group)| {
            let items = if star.is_empty() {
                items.join(", ")
            } else {
                star.to_owned()
            };
            let mut text = format!("SELECT {items} FROM {from}");
            if let Some(filter) = filter {
                let _ = write!(text, " WHERE {filter}");
            }
            if let Some(group) = group {
                let _ = write!(text, " GROUP BY {group}");
            }
            text
        })
        .boxed();
    let set = prop::sample::select(vec![" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "]);
    let sets = (one.clone(), prop::option::of((set, one.clone())))
        .prop_map(|(a, b)| b.map_or(a.clone(), |(set, b)| format!("{a}{set}{b}")));
    let name = prop::sample::select(vec![
        "w",
        "v",
        "orders",
        "\"users\"",
        "RECURSIVE w",
        "sqlite_schema",
        "secrets",
    ]);
    (prop::option::of((name, one)), sets).prop_map(|(with, body)| {
        with.map_or(body.clone(), |(name, query)| {
            format!("WITH {name} AS ({query}) {body}")
        })
    })
}

fn conflict() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        1 => Just(" ON CONFLICT DO NOTHING".to_owned()),
        2 => (column(), expression(), expression())
            .prop_map(|(c, e, w)| format!(" ON CONFLICT (id) DO UPDATE SET {c} = {e} WHERE {w}")),
        1 => (column(), expression()).prop_map(|(c, e)| format!(" ON CONFLICT (id) DO UPDATE SET {c} = {e}")),
    ]
}

fn columns() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        " (id, item)",
        " (id, tenantId)",
        " (item, \"tenantId\", id)",
        " (id)",
        " (TENANTID)",
        " (id, id, tenantId)",
        " (item, price, tenantId, id)",
    ])
    .prop_map(str::to_owned)
}

/// An insertion, update or deletion.
pub(super) fn change() -> impl Strategy<Value = String> {
    let or = prop::sample::select(vec![
        "",
        "",
        " OR IGNORE",
        " OR REPLACE",
        " OR ABORT",
        " OR ROLLBACK",
        " OR FAIL",
    ]);
    let values = prop::collection::vec(prop::collection::vec(expression(), 1..5), 1..3).prop_map(|rows| {
        let rows: Vec<String> = rows
            .into_iter()
            .map(|row| format!("({})", row.join(", ")))
            .collect();
        format!("VALUES {}", rows.join(", "))
    });
    let source = prop_oneof![3 => values, 2 => select(), 1 => Just("DEFAULT VALUES".to_owned())];
    let returning = prop::sample::select(vec![
        "",
        " RETURNING *",
        " RETURNING id, tenantId",
        " RETURNING (SELECT max(id) FROM users)",
    ]);
    prop_oneof![
        (
            or.clone(),
            table(),
            columns(),
            source,
            conflict(),
            returning.clone()
        )
            .prop_map(|(or, t, c, s, on, r)| format!("INSERT{or} INTO {t}{c} {s}{on}{r}")),
        (
            or,
            table(),
            alias(),
            column(),
            expression(),
            prop::option::of(from()),
            prop::option::of(expression()),
            returning.clone()
        )
            .prop_map(|(or, t, n, c, e, f, w, r)| {
                let from = f.map_or(String::new(), |from| format!(" FROM {from}"));
                let filter = w.map_or(String::new(), |filter| format!(" WHERE {filter}"));
                format!("UPDATE{or} {t}{n} SET {c} = {e}{from}{filter}{r}")
            }),
        (table(), alias(), prop::option::of(expression()), returning).prop_map(|(t, n, w, r)| {
            let filter = w.map_or(String::new(), |filter| format!(" WHERE {filter}"));
            format!("DELETE FROM {t}{n}{filter}{r}")
        }),
    ]
}
