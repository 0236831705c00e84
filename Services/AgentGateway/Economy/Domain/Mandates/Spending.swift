public import Money

/// A payment that an agent wants to make.
public struct Spending: Sendable, Hashable {
    /// The most that it will cost.
    public var amount: Amount
    /// `inference`, `task` or `payment`.
    public var purpose: String
    /// Who is paid.
    public var payee: String?
    /// What is hired.
    public var service: String?
    /// What is asked.
    public var model: String?
    /// The task that is funded.
    public var task: String?
    /// The human's word for it, where the amount needs one.
    public var approval: String?

    /// From its parts.
    public init(
        _ amount: Amount, purpose: String, payee: String? = nil, service: String? = nil, model: String? = nil, task: String? = nil,
        approval: String? = nil
    ) {
        self.amount = amount
        self.purpose = purpose
        self.payee = payee
        self.service = service
        self.model = model
        self.task = task
        self.approval = approval
    }
}
