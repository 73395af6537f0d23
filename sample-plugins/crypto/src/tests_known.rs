//! What others published, from where each table says.

use plugin_api::export::Export;

use super::*;
use crate::tests::call;

fn result<N: Export>(input: &str) -> String {
    let output = call::<N>(input).unwrap_or_else(|error| panic!("{input}: {error}"));
    output
        .as_ref()
        .get("result")
        .unwrap()
        .to_value()
        .to_json()
        .replace('"', "")
}

/// NIST, "Examples with intermediate values" to FIPS 180-4: the messages of one and of two blocks, and none at all.
#[test]
fn digests_are_those_of_the_examples_of_fips_180() {
    let two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let two_wide = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    let known = [
        ("sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha1", two, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        (
            "sha256",
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "sha256",
            two,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            "sha256",
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            "sha384",
            "abc",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            "sha384",
            two_wide,
            "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
        ),
        (
            "sha512",
            "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            "sha512",
            two_wide,
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
        ),
    ];
    for (algorithm, message, digest) in known {
        let input = format!(r#"{{"value": "{message}", "algorithm": "{algorithm}", "allowLegacy": true}}"#);
        assert_eq!(result::<hash>(&input), digest, "{algorithm}");
    }
    // A million times the letter a, from the same examples.
    let input = format!(r#"{{"value": "{}"}}"#, "a".repeat(1_000_000));
    assert_eq!(
        result::<hash>(&input),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    );
}

/// The test suite of RFC 1321, appendix A.5, and the first test vector of BLAKE3 (`test_vectors.json` of its authors).
#[test]
fn digests_are_those_of_their_authors() {
    let known = [
        ("md5", "", "d41d8cd98f00b204e9800998ecf8427e"),
        ("md5", "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "blake3",
            "",
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ),
    ];
    for (algorithm, message, digest) in known {
        let input = format!(r#"{{"value": "{message}", "algorithm": "{algorithm}", "allowLegacy": true}}"#);
        assert_eq!(result::<hash>(&input), digest, "{algorithm}");
    }
}

/// RFC 4231, section 4: key, data and the codes of SHA-256, SHA-384 and SHA-512, in hexadecimal. Test case 5 is of codes
/// that are cut, which are not made here.
#[test]
fn codes_are_those_of_rfc_4231() {
    let known = [
        (
            "0b".repeat(20),
            "4869205468657265".to_owned(),
            [
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ],
        ),
        (
            "4a656665".to_owned(),
            "7768617420646f2079612077616e7420666f72206e6f7468696e673f".to_owned(),
            [
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ],
        ),
        (
            "aa".repeat(20),
            "dd".repeat(50),
            [
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
                "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ],
        ),
        (
            "0102030405060708090a0b0c0d0e0f10111213141516171819".to_owned(),
            "cd".repeat(50),
            [
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
                "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
                "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
            ],
        ),
        (
            "aa".repeat(131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374".to_owned(),
            [
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ],
        ),
        (
            "aa".repeat(131),
            "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f726974686d2e".to_owned(),
            [
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
                "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ],
        ),
    ];
    for (key, data, codes) in known {
        for (algorithm, code) in ["sha256", "sha384", "sha512"].into_iter().zip(codes) {
            let input = format!(
                r#"{{"value": "{data}", "inputEncoding": "hex", "secret": "{key}", "secretEncoding": "hex", "algorithm": "{algorithm}"}}"#
            );
            assert_eq!(result::<hmac>(&input), code, "{algorithm} {key}");
        }
    }
}

/// RFC 2202, section 3, test case 2.
#[test]
fn an_old_code_is_that_of_rfc_2202() {
    let input = r#"{"value": "what do ya want for nothing?", "secret": "Jefe", "algorithm": "sha1", "allowLegacy": true}"#;
    assert_eq!(result::<hmac>(input), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

/// The test vectors of jBCrypt (`TestBCrypt.java`), up to the cost 8.
#[test]
fn hashes_of_passwords_are_those_of_jbcrypt() {
    let known = [
        ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        ("", "$2a$08$HqWuK6/Ng6sg9gQzbLrgb.Tl.ZHfXLhvt/SgVyWhQqgqcZ7ZuUtye"),
        (
            "a",
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ),
        (
            "a",
            "$2a$08$cfcvVd2aQ8CMvoMpP2EBfeodLEkkFJ9umNEfPD18.hUF62qqlC/V.",
        ),
        (
            "abc",
            "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        ),
        (
            "abc",
            "$2a$08$Ro0CUfOqk6cXEKf3dyaM7OhSCvnwM9s4wIX9JeLapehKK5YdLxKcm",
        ),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
        ),
        (
            "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
            "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
        ),
    ];
    for (password, kept) in known {
        let (rounds, salt) = (&kept[4..6], &kept[7..29]);
        let input = format!(r#"{{"input": "{password}", "rounds": "{rounds}", "salt": "{salt}"}}"#);
        assert_eq!(result::<bcrypt_hash>(&input), kept.replace("$2a$", "$2b$"));
        let input = format!(r#"{{"input": "{password}", "hash": "{kept}"}}"#);
        assert_eq!(result::<bcrypt_compare>(&input), "true");
    }
}

/// From `crypt_blowfish`'s `wrapper.c`: 72 bytes and more, and bytes above 127.
#[test]
fn hashes_of_long_passwords_are_those_of_crypt_blowfish() {
    let long =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
    let kept = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    for password in [&long[..72], long] {
        let input = format!(r#"{{"input": "{password}", "hash": "{kept}"}}"#);
        assert_eq!(result::<bcrypt_compare>(&input), "true", "{password}");
    }
    let input = format!(r#"{{"input": "{}", "hash": "{kept}"}}"#, &long[..71]);
    assert_eq!(result::<bcrypt_compare>(&input), "false");
}

/// RFC 9562, appendix A.4.
#[test]
fn the_identifier_of_a_name_is_that_of_rfc_9562() {
    let input = r#"{"version": 5, "namespace": "dns", "name": "www.example.com"}"#;
    assert_eq!(result::<uuid>(input), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}
