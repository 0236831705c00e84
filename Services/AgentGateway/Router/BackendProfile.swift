/// What the router knows of a backend beforehand.
public struct BackendProfile: Sendable, Hashable {
    /// Its name, which no other has.
    public let name: String
    /// The base models that it answers with; nil for one that is asked for whatever base.
    public let bases: Set<String>?
    /// The base models that it embeds texts with.
    public let embeds: Set<String>
    /// Adapters that it holds at once; 0 for one that has no adapters.
    public let slots: Int
    /// Requests that it works on at once.
    public let concurrency: Int
    /// Adapters that it brings in at once; 0 for one whose adapters were fixed at its start.
    public let loads: Int
    /// Whether requests for different bases run in it side by side. Where not, the requests of one base go together.
    public let mixesBases: Bool
    /// Adapters that it has from the start.
    public let fixed: [AdapterName]

    /// From its parts.
    public init(
        name: String, bases: Set<String>?, embeds: Set<String> = [], slots: Int, concurrency: Int, loads: Int = 2, mixesBases: Bool = true,
        fixed: [AdapterName] = []
    ) {
        self.name = name
        self.bases = bases
        self.embeds = embeds
        self.slots = max(slots, fixed.count)
        self.concurrency = max(1, concurrency)
        self.loads = loads
        self.mixesBases = mixesBases
        self.fixed = fixed
    }
}
