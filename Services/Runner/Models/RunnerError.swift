/// What goes wrong in a runner.
enum RunnerError: Error, CustomStringConvertible {
    case unknownBase(String)
    case noRows
    case lost

    var description: String {
        switch self {
        case .unknownBase(let name): "this runner has no base model \(name)"
        case .noRows: "the snapshots have no row to learn from"
        case .lost: "the job was cancelled, or given to another runner"
        }
    }
}
