//! Makes a table of the files in `dist/`, each as it is and compressed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=dist");
    let dir = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(format!("no {name}")));
    let (out, dist) = (dir("OUT_DIR")?, dir("CARGO_MANIFEST_DIR")?.join("dist"));
    let mut files: Vec<_> =
        fs::read_dir(&dist)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for file in &files {
        entry(&mut table, file, &out)?;
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)
}

fn entry(table: &mut String, file: &Path, out: &Path) -> io::Result<()> {
    let bytes = fs::read(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let media_type = match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let hash = Sha256::digest(&bytes);
    let tag: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&bytes)?;
    let gzip = encoder.finish()?;
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &parameters)?;
    let write = |suffix: &str, bytes: &[u8]| -> io::Result<String> {
        let path = out.join(format!("{name}{suffix}"));
        fs::write(&path, bytes)?;
        Ok(format!("include_bytes!({:?})", path.to_string_lossy()))
    };
    let (raw, gzip, brotli) = (write("", &bytes)?, write(".gz", &gzip)?, write(".br", &brotli)?);
    writeln!(
        table,
        "    Asset {{ name: {name:?}, media_type: {media_type:?}, tag: \"\\\"{tag}\\\"\", raw: {raw}, gzip: {gzip}, brotli: {brotli} }},"
    )
    .map_err(io::Error::other)
}
