/// What a function or filter of a template is given.
struct TemplateArguments {
    var positional: [TemplateValue] = []
    var named: [(String, TemplateValue)] = []

    /// The text at a place, if there is one.
    func text(_ index: Int) -> String? {
        if positional.indices.contains(index), case .string(let text) = positional[index] { text } else { nil }
    }
}
