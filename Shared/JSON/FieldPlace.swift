/// Where a value stands in a document. It becomes a text only when somebody asks, which is nearly never: a document that is sound has
/// no errors to name places in.
indirect enum FieldPlace: Sendable {
    /// A place that is known as a pointer.
    case pointer(String)
    /// A step from another place.
    case step(FieldPlace, FieldStep)

    /// A JSON Pointer (RFC 6901).
    var text: String {
        switch self {
        case .pointer(let text): text
        case .step(let parent, let step): step.text(from: parent)
        }
    }
}

/// One level down.
enum FieldStep: Sendable {
    /// Nowhere: the place itself.
    case here
    /// The member of this name.
    case member(String)
    /// The element of this index.
    case element(Int)

    /// The pointer to where it leads.
    func text(from parent: FieldPlace) -> String {
        switch self {
        case .here: parent.text
        case .member(let name): parent.text + "/" + escapedForPointer(name)
        case .element(let index): "\(parent.text)/\(index)"
        }
    }

    /// The place that it leads to.
    func place(from parent: FieldPlace) -> FieldPlace { if case .here = self { parent } else { .step(parent, self) } }
}
