/// How passages that were looked up stand before a question. The models of our own runner learn them in this form and are asked in it, so
/// the gateway and the runners must write the same bytes; `rows.py` of the Python runner does as well.
public enum PassagePrompt {
    /// The text of the system message.
    public static func text(_ passages: [String]) -> String {
        "Use these passages where they help:\n" + passages.joined(separator: "\n\n")
    }
}
