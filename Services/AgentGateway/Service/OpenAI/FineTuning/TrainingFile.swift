internal import JSON
internal import Web

/// A training file in OpenAI's form: one JSON object a line, a conversation that ends with the assistant's answer, or a prompt with its
/// completion.
enum TrainingFile {
    /// Most lines.
    static let most = 100_000

    /// The rows as a contribution has them: `{"prompt", "completion"}` a line.
    /// - Throws: `Problem` 400 that names the line.
    static func rows(_ bytes: [UInt8]) throws(Problem) -> (count: Int, rows: [UInt8]) {
        var out: [UInt8] = []
        var count = 0
        for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            count += 1
            guard count <= most else { throw problem(number, "has more than \(most) examples before it") }
            do {
                let (prompt, completion) = try row(JSON.parse(Array(line)).object())
                out += JSON.write(["prompt": .string(prompt), "completion": .string(completion)]) + [0x0A]
            } catch let error as JSONFieldError { throw problem(number, error.description) } catch let error as JSONError {
                throw problem(number, error.description)
            } catch { throw problem(number, "can't be read") }
        }
        guard count > 0 else { throw Problem(type, "the training file has no examples", field: "#/training_file") }
        return (count, out)
    }

    private static func row(_ fields: JSONFields) throws -> (prompt: String, completion: String) {
        if fields.optionalField("messages") == nil {
            return (try fields.string("prompt", bytes: 1...65_535), try fields.string("completion", bytes: 1...65_535))
        }
        var messages: [(role: String, content: String)] = []
        for entry in try fields.array("messages", count: 2...512) {
            let message = try entry.object()
            messages.append((try message.string("role", bytes: 1...20), try message.string("content", bytes: 0...65_535)))
        }
        guard let answer = messages.last, answer.role == "assistant", !answer.content.isEmpty else {
            throw try fields.field("messages").error("must end with what the assistant says")
        }
        let before = messages.dropLast()
        // A single question is asked as it will be asked; a longer conversation says who speaks.
        if before.count == 1, let only = before.first, only.role == "user" { return (only.content, answer.content) }
        return (before.map { "\($0.role): \($0.content)" }.joined(separator: "\n"), answer.content)
    }

    static let type = ProblemType("invalid-training-file", 400, "The training file can't be used")

    private static func problem(_ line: Int, _ why: String) -> Problem {
        Problem(type, "line \(line + 1) of the training file \(why)", field: "#/training_file")
    }
}
