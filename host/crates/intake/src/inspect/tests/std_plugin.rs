//! A library that calls on most of `std`: evidence that the standard lists refuse no honest plugin.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;

#[used]
#[unsafe(link_section = ".note.patchbay")]
static NOTE: [u8; 312] = *include_bytes!("note");

thread_local! {
    static LOCAL: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn everything(seed: i32) -> std::io::Result<usize> {
    LOCAL.with(|local| local.borrow_mut().push(seed.to_string()));
    let thread = std::thread::spawn(|| std::fs::read_dir("/").map(Iterator::count).unwrap_or(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    sender.send(std::env::vars().count()).ok();
    let mut total = receiver.recv().unwrap_or(0) + thread.join().unwrap_or(0);
    std::fs::create_dir_all("/nowhere/at/all")?;
    std::fs::copy("/nowhere/a", "/nowhere/b")?;
    std::fs::rename("/nowhere/a", "/nowhere/b")?;
    std::os::unix::fs::symlink("/nowhere/a", "/nowhere/b")?;
    std::os::unix::fs::chown("/nowhere/a", None, None)?;
    std::os::unix::fs::chroot("/nowhere")?;
    std::fs::remove_dir_all("/nowhere")?;
    let output = std::process::Command::new("true").uid(0).gid(0).process_group(0).output()?;
    let mut stream = std::net::TcpStream::connect("localhost:1")?;
    stream.write_all(&output.stdout)?;
    total += stream.read_to_end(&mut Vec::new())?;
    std::net::TcpListener::bind("127.0.0.1:0")?.accept()?;
    std::os::unix::net::UnixStream::pair()?;
    std::net::UdpSocket::bind("127.0.0.1:0")?.set_broadcast(true)?;
    println!("{:?} {:?}", std::time::Instant::now(), std::time::SystemTime::now());
    std::thread::sleep(std::time::Duration::from_millis(1));
    match seed {
        3 => std::process::exit(3),
        4 => std::process::abort(),
        5 => return Err(std::process::Command::new("true").exec()),
        _ => Ok(total),
    }
}

#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
pub extern "C" fn entry(seed: i32) -> usize {
    std::panic::catch_unwind(|| everything(seed)).map_or(0, |result| result.unwrap_or(1))
}
