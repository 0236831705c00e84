/// A statement of a chat template.
indirect enum TemplateStatement: Sendable {
    case text(String)
    case output(TemplateExpression, line: Int)
    case branch([(condition: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement], line: Int)
    case loop(
        names: [String], over: TemplateExpression, condition: TemplateExpression?, body: [TemplateStatement],
        otherwise: [TemplateStatement], line: Int)
    /// `set name = …`, or `set space.name = …`.
    case set(name: String, member: String?, TemplateExpression, line: Int)
}

/// An expression of a chat template.
indirect enum TemplateExpression: Sendable {
    case literal(TemplateValue)
    case name(String)
    case member(TemplateExpression, String)
    case item(TemplateExpression, TemplateExpression)
    case slice(TemplateExpression, from: TemplateExpression?, to: TemplateExpression?, step: TemplateExpression?)
    case call(TemplateExpression, [TemplateExpression], named: [(String, TemplateExpression)])
    case filter(TemplateExpression, String, [TemplateExpression], named: [(String, TemplateExpression)])
    case test(TemplateExpression, String, TemplateExpression?, isNegated: Bool)
    case not(TemplateExpression)
    case negative(TemplateExpression)
    case binary(String, TemplateExpression, TemplateExpression)
    case conditional(TemplateExpression, condition: TemplateExpression, otherwise: TemplateExpression?)
    case list([TemplateExpression])
    case dict([(TemplateExpression, TemplateExpression)])
}
