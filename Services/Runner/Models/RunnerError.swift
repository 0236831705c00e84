internal import Crypto
internal import Engine

/// What goes wrong in a runner.
enum RunnerError: Error, CustomStringConvertible {
    case unknownBase(String)
    case otherBase(String, here: Digest, wanted: Digest)
    case noRows
    /// With the targets that would fit.
    case tooLarge(needed: Int, limit: Int, fits: [LinearModule])
    case tooManyRows(needed: Int, limit: Int, fits: [LinearModule])
    case largeFactors(needed: Int, limit: Int, fits: [LinearModule])
    case otherPrecision(String)
    case longRow(snapshot: Int, limit: Int)
    case lost
    case halted

    var description: String {
        switch self {
        case .unknownBase(let name): "this runner has no base model \(name)"
        case .otherBase(let name, let here, let wanted): "the base model \(name) is \(here) here, the job is on \(wanted)"
        case .noRows: "the snapshots have no row to learn from"
        case .tooLarge(let needed, let limit, let fits):
            "the job would take \(needed >> 20) MiB of memory, and may take \(limit >> 20): fewer or shorter rows, a lower rank or "
                + Self.fewer(fits)
        case .tooManyRows(let needed, let limit, let fits):
            "the job would make \(needed >> 20) MiB of attribution rows, and may make \(limit >> 20): a lower rank, fewer rows or "
                + Self.fewer(fits)
        case .largeFactors(let needed, let limit, let fits):
            "what measures influence would take \(needed >> 20) MiB, and may take \(limit >> 20): a smaller base or " + Self.fewer(fits)
        case .otherPrecision(let name): "this runner learns over no base in \(name): float32 or int8"
        case .longRow(let snapshot, let limit): "a row of snapshot \(snapshot) has more than \(limit >> 20) MiB"
        case .lost: "the job was cancelled, or given to another runner"
        case .halted: "the job was halted"
        }
    }

    private static func fewer(_ fits: [LinearModule]) -> String {
        fits.isEmpty ? "fewer targets" : "fewer targets, such as " + fits.map(\.name).joined(separator: ", ")
    }
}
