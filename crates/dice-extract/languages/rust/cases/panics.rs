//! What ends the program, what is printed without a logging library.

fn ends(x: Option<u8>, file: &File) -> u8 {
    panic!("bad {x:?}");
    panic!();
    std::unreachable!("state {}", 1);
    unreachable!();
    todo!();
    todo!("write {}", "this");
    unimplemented!("no {x:?}");
    assert!(x.is_some());
    assert!(x.is_some(), "no value for {}", file);
    debug_assert_eq!(1, x, "differ for {}", file);
    assert_ne!(1, 2);
    let bytes = file.read().expect("the file was just written");
    let line = lines.next().expect(&format!("no line {}", bytes.len()));
    let other = lines.next().expect(if bytes.is_empty() { "empty" } else { "short" });
    self.expect("{");
    self.value.expect("a value");
    token.expect(Kind::Brace);
    x.unwrap()
}

fn prints(out: &mut impl Write) {
    println!();
    println!("total {}", 1);
    print!("no line end");
    eprintln!("warning: {}\n", e);
    dbg!(a + b, &c);
    write!(out, "{}-{}", a, b)?;
    writeln!(io::stderr(), "usage: {}", name)?;
    writeln!(io::stdout().lock(), "done")?;
    let text = format!("piece {}", 1);
}

fn values(logger: Logger, config: Config) {
    logger.warn("a value that logs");
    self.log().error(&format!("of a method {}", 1));
    config.shell().note("to the terminal");
    list.error("not a logger");
    logger.info(variable);
}
