internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell

/// What was asked and answered, from the gateway, which holds the keys.
struct AnswerTexts: Sendable {
    let peers: Peers

    /// Both texts.
    struct Texts: Sendable {
        let prompt: String
        let answer: String
    }

    /// What the gateway said.
    enum Finding: Sendable {
        case texts(Texts)
        /// It does not know the answer, or not yet.
        case unknown
        /// The key is destroyed, and the texts with it.
        case erased
        /// They are longer than anybody attributes.
        case tooLong
        /// What is stored is damaged, or no text.
        case unreadable
    }

    /// The most bytes of both texts as JSON; of longer ones no more is read.
    var largest = 32 << 20

    /// - Throws: when the gateway cannot be asked now.
    func find(_ inference: String) async throws -> Finding {
        let (status, body): (Int, [UInt8])
        do { (status, body) = try await content(of: inference) } catch {
            // Told apart in a function that does not wait: the optimiser of Swift 6.3 crashes on a pattern here.
            if Self.isTooLong(error) { return .tooLong }
            throw error
        }
        switch status {
        case 200: break
        case 404: return .unknown
        case 410: return .erased
        case 422: return .unreadable
        default: throw PeerError(.agentGateway, status, body)
        }
        return texts(body).map { .texts($0) } ?? .unreadable
    }

    /// Both texts; nil for bytes that will never be any.
    private func texts(_ body: [UInt8]) -> Texts? {
        let limits = JSONLimits(depth: 256, bytes: largest, items: largest)
        guard let fields = try? JSON.parse(body, limits: limits).object(), let prompt = try? fields.field("prompt").value,
            let answer = try? fields.string("answer", bytes: 0...largest)
        else { return nil }
        let read = [prompt] + ["tools", "response_format"].compactMap { fields.optionalField($0)?.value }
        return Texts(prompt: read.map(Self.words).filter { !$0.isEmpty }.joined(separator: "\n"), answer: answer)
    }

    private func content(of inference: String) async throws -> (Int, [UInt8]) {
        let path = "/v1/inferences/\(PathText.encode(inference))/content"
        let response = try await peers.open("GET", .agentGateway, path, timeout: .seconds(30), limit: largest)
        return (response.status, try await response.body.collect(upTo: largest))
    }

    private static func isTooLong(_ error: any Error) -> Bool {
        if case .bodyTooLarge? = error as? HTTPClientError { true } else { false }
    }

    /// Everything that the model read, whoever said it: the messages, the calls that earlier ones ask for with what they are called with,
    /// the tools' descriptions, the form that an answer is to have. One text a line, so that no span runs from one into the next unseen.
    static func words(_ prompt: JSONValue) -> String {
        var found: [String] = []
        collect(prompt, under: nil, &found)
        return found.joined(separator: "\n")
    }

    /// What says how a request is built, and nothing that a model would repeat.
    private static let frame: Set<String> = ["role", "type", "id", "tool_call_id"]

    private static func collect(_ value: JSONValue, under name: String?, _ found: inout [String]) {
        switch value {
        case .string(let text):
            found.append(text)
            // What a tool is called with is an object, written as a text.
            guard name == "arguments", let arguments = try? JSON.parse(Array(text.utf8)), arguments.objectValue != nil else { return }
            collect(arguments, under: nil, &found)
        case .array(let list):
            for entry in list { collect(entry, under: name, &found) }
        case .object(let object):
            for member in object.members where !(frame.contains(member.key) && member.value.stringValue != nil) {
                collect(member.value, under: member.key, &found)
            }
        default: return
        }
    }
}

/// Ids in paths.
enum PathText {
    /// Percent-encodes everything but what RFC 3986 calls unreserved.
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
