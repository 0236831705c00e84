public import BillingDomain
public import Web

extension BillingError: ProblemConvertible {
    /// What a deciding route of billing may answer with.
    static let problemTypes: [ProblemType] = [
        ("unknown-account", 404, "There is no such account"), ("account-exists", 409, "The account is open already"),
        ("wrong-account-kind", 422, "The account cannot be used so"), ("insufficient-funds", 402, "Not enough is available"),
        ("above-ceiling", 422, "The account would hold too much"), ("not-positive", 422, "An amount must be above zero"),
        ("wrong-asset", 422, "The asset is another one"), ("amount", 422, "The amounts do not work out"),
        ("unbalanced", 422, "The entries do not add up to zero"), ("billing-not-found", 404, "Nothing of that name"),
        ("exists", 409, "It is there already"), ("hold-expired", 410, "The hold has expired"), ("beyond", 422, "More than is left"),
        ("window-over", 410, "The window is over"), ("in-the-way", 409, "Something else must happen first"),
        ("invalid", 422, "A value is none"),
    ].map { ProblemType($0.0, $0.1, $0.2) }

    /// The answer it becomes.
    public var problem: Problem {
        let code = code == "not-found" ? "billing-not-found" : code
        let type = Self.problemTypes.first { $0.code == code } ?? .unprocessable
        if case .invalid(let field, _) = self { return Problem(type, description, field: field) }
        if case .at(let place, _) = self { return Problem(type, description, field: "#/\(place)") }
        return Problem(type, description)
    }
}
