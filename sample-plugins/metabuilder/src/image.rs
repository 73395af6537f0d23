//! Facts about an image, from its first bytes.
//!
//! Invariant: nothing is decoded, and no byte is read that is not there: a file that breaks off gives what is known by
//! then, or that it is no image.

/// What the header of an image says. What a format does not say, or says beyond the header, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// `png`, `jpeg`, `gif`, `webp` or `bmp`.
    pub(crate) format: &'static str,
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
    /// `rgb`, `gray`, `indexed`, `ycbcr` or `cmyk`.
    pub(crate) color_space: Option<&'static str>,
    /// Whether pixels can be transparent.
    pub(crate) has_alpha: Option<bool>,
    /// Whether there is a block of EXIF.
    pub(crate) has_exif: bool,
}

/// Reads a header; `None` for what is none.
pub(crate) fn read(bytes: &[u8]) -> Option<Facts> {
    let facts = png(bytes)
        .or_else(|| jpeg(bytes))
        .or_else(|| gif(bytes))
        .or_else(|| webp(bytes))
        .or_else(|| bmp(bytes))?;
    (facts.width > 0 && facts.height > 0).then_some(facts)
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    let two: [u8; 2] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from(u16::from_be_bytes(two)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    let two: [u8; 2] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from(u16::from_le_bytes(two)))
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    Some(le16(bytes, at)? | (u32::from(*bytes.get(at + 2)?) << 16))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn png(bytes: &[u8]) -> Option<Facts> {
    let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16) == Some(b"IHDR");
    if !is_png {
        return None;
    }
    let (color_space, alpha) = match bytes.get(25)? {
        0 => ("gray", false),
        2 => ("rgb", false),
        3 => ("indexed", false),
        4 => ("gray", true),
        6 => ("rgb", true),
        _ => return None,
    };
    let mut facts = Facts {
        format: "png",
        width: be32(bytes, 16)?,
        height: be32(bytes, 20)?,
        color_space: Some(color_space),
        has_alpha: Some(alpha),
        has_exif: false,
    };
    // Chunks before the pixels may say more: one colour is transparent, and there is EXIF.
    let mut at = 33_usize;
    while let (Some(length), Some(name)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        match name {
            b"tRNS" => facts.has_alpha = Some(true),
            b"eXIf" => facts.has_exif = true,
            b"IDAT" | b"IEND" => break,
            _ => {}
        }
        let next = usize::try_from(length)
            .ok()
            .and_then(|length| at.checked_add(length)?.checked_add(12));
        match next {
            Some(next) if next > at => at = next,
            _ => break,
        }
    }
    Some(facts)
}

fn jpeg(bytes: &[u8]) -> Option<Facts> {
    if !bytes.starts_with(b"\xff\xd8\xff") {
        return None;
    }
    let mut has_exif = false;
    let mut at = 2_usize;
    loop {
        // Any number of 0xff may stand before a marker.
        let mut marker = *bytes.get(at)?;
        if marker != 0xff {
            return None;
        }
        while marker == 0xff {
            at += 1;
            marker = *bytes.get(at)?;
        }
        at += 1;
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue;
        }
        let length = usize::try_from(be16(bytes, at)?)
            .ok()
            .filter(|length| *length >= 2)?;
        match marker {
            0xe1 if bytes.get(at + 2..at + 8) == Some(b"Exif\0\0") => has_exif = true,
            // A frame, in any of its codings; those that are left out are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some(Facts {
                    format: "jpeg",
                    height: be16(bytes, at + 3)?,
                    width: be16(bytes, at + 5)?,
                    color_space: match bytes.get(at + 7)? {
                        1 => Some("gray"),
                        3 => Some("ycbcr"),
                        4 => Some("cmyk"),
                        _ => None,
                    },
                    has_alpha: Some(false),
                    has_exif,
                });
            }
            // Pixels before a frame, or the end.
            0xd9 | 0xda => return None,
            _ => {}
        }
        at = at.checked_add(length)?;
    }
}

fn gif(bytes: &[u8]) -> Option<Facts> {
    if !bytes.starts_with(b"GIF87a") && !bytes.starts_with(b"GIF89a") {
        return None;
    }
    Some(Facts {
        format: "gif",
        width: le16(bytes, 6)?,
        height: le16(bytes, 8)?,
        color_space: Some("indexed"),
        // Each picture in it says so for itself.
        has_alpha: None,
        has_exif: false,
    })
}

fn webp(bytes: &[u8]) -> Option<Facts> {
    if !bytes.starts_with(b"RIFF") || bytes.get(8..12) != Some(b"WEBP") {
        return None;
    }
    let facts = Facts {
        format: "webp",
        ..Facts::default()
    };
    match bytes.get(12..16)? {
        b"VP8 " if bytes.get(23..26) == Some(b"\x9d\x01\x2a") => Some(Facts {
            width: le16(bytes, 26)? & 0x3fff,
            height: le16(bytes, 28)? & 0x3fff,
            color_space: Some("ycbcr"),
            has_alpha: Some(false),
            ..facts
        }),
        b"VP8L" if bytes.get(20) == Some(&0x2f) => {
            let bits = le32(bytes, 21)?;
            Some(Facts {
                width: (bits & 0x3fff) + 1,
                height: ((bits >> 14) & 0x3fff) + 1,
                color_space: Some("rgb"),
                has_alpha: Some((bits >> 28) & 1 == 1),
                ..facts
            })
        }
        b"VP8X" => {
            let flags = *bytes.get(20)?;
            Some(Facts {
                width: le24(bytes, 24)? + 1,
                height: le24(bytes, 27)? + 1,
                has_alpha: Some(flags & 0x10 != 0),
                has_exif: flags & 0x08 != 0,
                ..facts
            })
        }
        _ => None,
    }
}

fn bmp(bytes: &[u8]) -> Option<Facts> {
    if !bytes.starts_with(b"BM") {
        return None;
    }
    let (width, height, bits) = match le32(bytes, 14)? {
        12 => (le16(bytes, 18)?, le16(bytes, 20)?, le16(bytes, 24)?),
        // The height is negative where the rows go from top to bottom.
        40..=124 => {
            let height = le32(bytes, 22)?.cast_signed().unsigned_abs();
            (le32(bytes, 18)?, height, le16(bytes, 28)?)
        }
        _ => return None,
    };
    Some(Facts {
        format: "bmp",
        width,
        height,
        color_space: Some(if bits <= 8 { "indexed" } else { "rgb" }),
        has_alpha: None,
        has_exif: false,
    })
}
