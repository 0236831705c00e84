public import EventLog
internal import HTTP
internal import JSON
public import Web

extension LogError: ProblemConvertible {
    /// The log's errors on the wire.
    public var problem: Problem {
        let form = wireForm
        var field: String?
        if case .string(let text)? = form.members.first(where: { $0.0 == "field" })?.1 { field = text }
        return Problem(
            problemType, description, field: field, members: form.members.filter { $0.0 != "field" }.map { (name: $0.0, value: $0.1) },
            headers: form.status == 503 ? ["Retry-After": "1"] : [:])
    }

    var problemType: ProblemType {
        let form = wireForm
        return ProblemType(form.code, form.status, form.title)
    }
}
