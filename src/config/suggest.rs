//! The known name that somebody probably meant.

/// How alike two names must be for one to be suggested (Jaro-Winkler, 1 is equal). Lower values suggest nonsense.
const ALIKE: f64 = 0.8;

/// The known name nearest to what was written, if any is near.
pub(super) fn find_nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (name, strsim::jaro_winkler(&written, &name.to_lowercase())))
        .filter(|(_, likeness)| *likeness >= ALIKE)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(name, _)| name)
}

/// The dotted path whose last key is nearest to what was written, if any is near.
pub(super) fn find_nearest_leaf<'a>(written: &str, paths: &'a [String]) -> Option<&'a str> {
    let last = |path: &'a str| path.rsplit('.').next().unwrap_or(path);
    let nearest = find_nearest(written, paths.iter().map(|path| last(path)))?;
    let mut named_so = paths.iter().map(String::as_str).filter(|path| last(path) == nearest);
    // Several sections have a `listen`; who leaves the section out means the server's.
    let first = named_so.next();
    first.into_iter().chain(named_so).find(|path| path.starts_with("server.")).or(first)
}
