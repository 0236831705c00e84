internal import Crypto
internal import DatanetDomain
internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell

/// Content of items, as ingest hands it out.
struct ItemContent: Sendable {
    let peers: Peers

    /// Most bytes of one item.
    static let maximumBytes = 16 << 20

    /// The content: a JSON value where the item is one, a text where it is that, and an image or a recording as its type and its bytes in
    /// base64. Nil when it is gone: erased, or never there.
    /// - Throws: `PeerError` when ingest can't say.
    func content(contribution: String, item: String) async throws -> JSONValue? {
        let path = "/v1/contributions/\(Self.encoded(contribution))/items/\(Self.encoded(item))/content"
        let response = try await peers.open("GET", .ingest, path, timeout: .seconds(30), limit: Self.maximumBytes)
        let body = try await response.body.collect(upTo: Self.maximumBytes)
        switch response.status {
        case 200: break
        case 404, 410: return nil
        default: throw ContentError(status: response.status)
        }
        let type = response.headers["Content-Type"] ?? ""
        if type.hasPrefix("text/") { return .string(String(decoding: body, as: UTF8.self)) }
        guard type.hasPrefix("application/json") else {
            return [Self.typeName: .string(type), Self.bytesName: .string(Base64.encode(body))]
        }
        return try JSON.parse(body, limits: JSONLimits(bytes: Self.maximumBytes))
    }

    /// The members that stand for an image or a recording.
    static let typeName = "media_type"
    static let bytesName = "base64"

    /// An image or a recording, of whatever size: its type, and its bytes as they come. Nil when it is gone.
    /// - Throws: `PeerError` or ``ContentError`` when ingest can't say.
    func media(contribution: String, item: String) async throws -> (type: String, body: ResponseBody)? {
        let path = "/v1/contributions/\(Self.encoded(contribution))/items/\(Self.encoded(item))/content"
        let response = try await peers.open("GET", .ingest, path)
        switch response.status {
        case 200: return (response.headers["Content-Type"] ?? "application/octet-stream", response.body)
        case 404, 410: return nil
        default: throw ContentError(status: response.status)
        }
    }

    /// All texts of a content, for search: the strings of its members, in order. Images and recordings have none.
    static func words(_ content: JSONValue) -> String {
        switch content {
        case .object(let object) where object[bytesName] != nil && object[typeName] != nil && object.members.count == 2: ""
        case .string(let text): text
        case .array(let list): list.map(words).filter { !$0.isEmpty }.joined(separator: "\n")
        case .object(let object): object.members.map { words($0.value) }.filter { !$0.isEmpty }.joined(separator: "\n")
        default: ""
        }
    }

    /// RFC 3986 §2.3: what is unreserved stays.
    static func encoded(_ segment: String) -> String {
        var text = ""
        for byte in segment.utf8 {
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            if isPlain {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}

/// Ingest did not hand out an item.
struct ContentError: Error, CustomStringConvertible {
    let status: Int
    var description: String { "ingest answered \(status) for the content of an item" }
}
