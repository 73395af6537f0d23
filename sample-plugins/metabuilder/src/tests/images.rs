use proptest::prelude::*;

use crate::image::{Facts, read};

fn png(width: u32, height: u32, color: u8, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, color, 0, 0, 0, 0, 0, 0, 0]);
    for (name, data) in chunks {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(*name);
        bytes.extend(*data);
        bytes.extend([0; 4]);
    }
    bytes
}

fn jpeg(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8".to_vec();
    for (marker, data) in segments {
        bytes.extend([0xff, *marker]);
        bytes.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
        bytes.extend(*data);
    }
    bytes
}

fn facts(
    format: &'static str,
    size: (u32, u32),
    space: Option<&'static str>,
    alpha: Option<bool>,
    exif: bool,
) -> Facts {
    Facts {
        format,
        width: size.0,
        height: size.1,
        color_space: space,
        has_alpha: alpha,
        has_exif: exif,
    }
}

#[test]
fn a_header_says_what_the_image_is() {
    let vp8 =
        b"RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00".to_vec();
    let mut lossless = b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f".to_vec();
    lossless.extend((319_u32 | (239 << 14) | (1 << 28)).to_le_bytes());
    let extended =
        b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x18\x00\x00\x00\x3f\x01\x00\xef\x00\x00".to_vec();
    let mut bmp = b"BM\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x28\x00\x00\x00".to_vec();
    bmp.extend(320_i32.to_le_bytes());
    bmp.extend((-240_i32).to_le_bytes());
    bmp.extend([1, 0, 24, 0]);
    let frame = b"\x08\x00\xf0\x01\x40\x03";
    for (bytes, expected) in [
        (
            png(320, 240, 2, &[]),
            facts("png", (320, 240), Some("rgb"), Some(false), false),
        ),
        (
            png(1, 2, 6, &[(b"IDAT", b"x"), (b"eXIf", b"")]),
            facts("png", (1, 2), Some("rgb"), Some(true), false),
        ),
        (
            png(3, 4, 3, &[(b"PLTE", b"abc"), (b"tRNS", b"a"), (b"eXIf", b"ab")]),
            facts("png", (3, 4), Some("indexed"), Some(true), true),
        ),
        (
            jpeg(&[(0xc0, frame)]),
            facts("jpeg", (320, 240), Some("ycbcr"), Some(false), false),
        ),
        (
            jpeg(&[
                (0xe0, b"JFIF\0"),
                (0xe1, b"Exif\0\0more"),
                (0xc4, b"table"),
                (0xc2, b"\x08\x00\x01\x00\x02\x01"),
            ]),
            facts("jpeg", (2, 1), Some("gray"), Some(false), true),
        ),
        (
            b"GIF89a\x40\x01\xf0\x00\x00".to_vec(),
            facts("gif", (320, 240), Some("indexed"), None, false),
        ),
        (vp8, facts("webp", (320, 240), Some("ycbcr"), Some(false), false)),
        (
            lossless,
            facts("webp", (320, 240), Some("rgb"), Some(true), false),
        ),
        (extended, facts("webp", (320, 240), None, Some(true), true)),
        (bmp, facts("bmp", (320, 240), Some("rgb"), None, false)),
    ] {
        assert_eq!(read(&bytes), Some(expected), "{}", expected.format);
    }
}

#[test]
fn what_is_no_image_is_none() {
    for bytes in [
        b"".to_vec(),
        b"hello".to_vec(),
        b"GIF89a\x00\x00\x00\x00".to_vec(),
        png(0, 1, 2, &[]),
        png(1, 1, 9, &[]),
        jpeg(&[(0xda, b"pixels")]),
        jpeg(&[(0xd9, b"")]),
        b"\xff\xd8\xff\xff\xff".to_vec(),
        b"\xff\xd8\xff\xe0\x00\x01".to_vec(),
        b"RIFF\x00\x00\x00\x00WEBPVP8Q".to_vec(),
        b"BM\x00".to_vec(),
    ] {
        assert_eq!(read(&bytes), None, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_image_or_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read(&bytes);
    }

    #[test]
    fn a_damaged_header_does_no_harm(at in 0_usize..60, byte in any::<u8>(), end in 0_usize..60) {
        let whole = [
            png(7, 9, 3, &[(b"PLTE", b"abc"), (b"tRNS", b"a")]),
            jpeg(&[(0xe1, b"Exif\0\0"), (0xc0, b"\x08\x00\x09\x00\x07\x03")]),
        ];
        for mut bytes in whole {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(end);
            let _ = read(&bytes);
        }
    }

    #[test]
    fn the_size_is_the_one_that_was_written(width in 1_u32..60_000, height in 1_u32..60_000) {
        let found = read(&png(width, height, 0, &[])).unwrap();
        prop_assert_eq!((found.width, found.height), (width, height));
        let frame = [&[8][..], &(height as u16).to_be_bytes(), &(width as u16).to_be_bytes(), &[1]].concat();
        let found = read(&jpeg(&[(0xc1, &frame)])).unwrap();
        prop_assert_eq!((found.width, found.height), (width, height));
    }
}
