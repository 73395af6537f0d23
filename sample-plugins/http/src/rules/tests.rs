use super::*;

fn rules(allow: Option<&str>, deny: &str, deny_private: &str) -> Rules {
    Rules::read(Texts {
        allow,
        deny: Some(deny),
        deny_private: Some(deny_private),
        connect_to: None,
    })
    .unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Whether a name that leads to an address may be called.
fn goes(rules: &Rules, name: &str, address: &str) -> bool {
    let standing = rules.name(name);
    standing.is_ok_and(|standing| rules.address(name, standing, ip(address)).is_ok())
}

#[test]
fn without_settings_the_internet_may_be_called_and_the_neighbours_may_not() {
    let rules = Rules::read(Texts::default()).unwrap();
    assert!(goes(&rules, "example.org", "93.184.216.34"));
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "169.254.169.254",
    ] {
        assert!(!goes(&rules, "example.org", address), "{address}");
        assert!(rules.literal(ip(address)).is_err(), "{address}");
    }
}

#[test]
fn the_metadata_address_is_refused_even_where_neighbours_are_allowed() {
    let open = rules(None, "", "false");
    assert!(goes(&open, "db.internal", "10.0.0.1"));
    for address in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
    ] {
        assert!(!goes(&open, "metadata", address), "{address}");
    }
    let named = rules(Some("*, 169.254.169.254"), "", "true");
    assert!(named.literal(ip("169.254.169.254")).is_ok());
}

#[test]
fn an_allowed_name_does_not_open_the_way_to_a_private_address() {
    let rules = rules(Some("*.example.org"), "", "true");
    assert!(goes(&rules, "api.example.org", "93.184.216.34"));
    assert!(goes(&rules, "API.Example.org.", "93.184.216.34"));
    assert!(!goes(&rules, "api.example.org", "10.0.0.1"));
    assert!(!goes(&rules, "example.org", "93.184.216.34"));
    assert!(!goes(&rules, "evilexample.org", "93.184.216.34"));
    assert!(!goes(&rules, "api.example.org.evil.net", "93.184.216.34"));
    assert!(rules.literal(ip("93.184.216.34")).is_err());
}

#[test]
fn an_allowed_network_opens_the_way_to_its_addresses_alone() {
    let narrow = rules(Some("10.1.0.0/16"), "", "true");
    assert!(goes(&narrow, "whatever", "10.1.2.3"));
    assert!(goes(&narrow, "whatever", "::ffff:10.1.2.3"));
    assert!(!goes(&narrow, "whatever", "10.2.0.1"));
    assert!(!goes(&narrow, "whatever", "1.1.1.1"));
    let wide = rules(Some("*, 10.1.0.0/16"), "", "true");
    assert!(goes(&wide, "whatever", "10.1.2.3"));
    assert!(goes(&wide, "whatever", "1.1.1.1"));
    assert!(!goes(&wide, "whatever", "10.2.0.1"));
}

#[test]
fn what_is_denied_is_denied_whatever_else_allows_it() {
    let rules = rules(
        Some("*, 10.0.0.0/8"),
        "bad.org *.bad.org 10.9.0.0/16 9.9.9.9",
        "false",
    );
    assert!(!goes(&rules, "bad.org", "1.1.1.1"));
    assert!(!goes(&rules, "a.bad.org", "1.1.1.1"));
    assert!(!goes(&rules, "good.org", "10.9.1.1"));
    assert!(!goes(&rules, "good.org", "64:ff9b::10.9.1.1"));
    assert!(!goes(&rules, "good.org", "9.9.9.9"));
    assert!(goes(&rules, "good.org", "10.8.1.1"));
    let nothing = super::tests::rules(None, "*", "false");
    assert!(nothing.literal(ip("1.1.1.1")).is_err());
}

#[test]
fn a_refusal_names_the_setting_that_decides() {
    let open = Rules::read(Texts::default()).unwrap();
    let private = open.literal(ip("10.0.0.1")).unwrap_err().0;
    assert!(
        private.contains("http.deny_private") && private.contains("http.allow_hosts"),
        "{private}"
    );
    let listed = rules(Some("a.org"), "", "true").name("b.org").unwrap_err().0;
    assert!(listed.contains("http.allow_hosts"), "{listed}");
    let denied = rules(None, "b.org", "true").name("b.org").unwrap_err().0;
    assert!(denied.contains("http.deny_hosts"), "{denied}");
}

#[test]
fn settings_that_are_not_understood_allow_nothing() {
    let bad = |texts: Texts<'_>| Rules::read(texts).unwrap_err().0;
    for allow in [
        "exa mple/org",
        "http://example.org",
        "a.org:80",
        "*.*",
        "10.0.0.0/99",
        "*example.org",
    ] {
        let why = bad(Texts {
            allow: Some(allow),
            ..Texts::default()
        });
        assert!(why.contains("http.allow_hosts"), "{allow}: {why}");
    }
    let why = bad(Texts {
        deny: Some("a/b"),
        ..Texts::default()
    });
    assert!(why.contains("http.deny_hosts"), "{why}");
    let why = bad(Texts {
        deny_private: Some("no"),
        ..Texts::default()
    });
    assert!(why.contains("http.deny_private"), "{why}");
    for connect_to in [
        "a.org",
        "a.org=1.1.1.1:80",
        "a.org:80=1.1.1.1",
        "a:b=c:d",
        "1.2.3.4:80=1.1.1.1:80",
        ":80=b:80",
    ] {
        let why = bad(Texts {
            connect_to: Some(connect_to),
            ..Texts::default()
        });
        assert!(why.contains("http.connect_to"), "{connect_to}: {why}");
    }
}

#[test]
fn a_detour_is_of_one_host_and_one_port() {
    let rules = Rules::read(Texts {
        connect_to: Some("api.example:443=127.0.0.1:8443, b.example:80=[::1]:81,c.example:80=backend:82"),
        ..Texts::default()
    })
    .unwrap();
    let to = |host, port| {
        rules
            .detour(host, port)
            .map(|detour| (detour.to.as_str(), detour.to_port))
    };
    assert_eq!(to("API.example", 443), Some(("127.0.0.1", 8443)));
    assert_eq!(to("api.example", 80), None);
    assert_eq!(to("b.example", 80), Some(("::1", 81)));
    assert_eq!(to("c.example", 80), Some(("backend", 82)));
    assert_eq!(rules.detour("c.example", 80).unwrap().address(), None);
    assert!(rules.detour("b.example", 80).unwrap().address().is_some());
}

#[test]
fn a_proxy_is_not_sent_to_its_own_machine() {
    let rules = Rules::read(Texts::default()).unwrap();
    assert!(rules.behind_proxy("example.org").is_ok());
    for name in [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "metadata.google.internal",
    ] {
        assert!(rules.behind_proxy(name).is_err(), "{name}");
    }
}
