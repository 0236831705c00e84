internal import Crypto
internal import EVM
internal import HTTP
internal import HTTPClient
internal import JSON

/// A node of a chain, asked by Ethereum's JSON-RPC.
struct ChainNode: Sendable {
    let transport: any Transport
    let url: String

    /// Why a node gives no answer.
    enum Trouble: Error, Sendable, CustomStringConvertible {
        /// It says no: the call reverts, or a parameter is wrong.
        case refused(String)
        /// It can't be asked, so what it would say is not known.
        case away(String)

        var description: String {
            switch self {
            case .refused(let why): "the chain refuses: \(why)"
            case .away(let why): "the chain's node can't be asked: \(why)"
            }
        }
    }

    func ask(_ method: String, _ parameters: [JSONValue]) async throws -> JSONValue {
        let answer: JSONValue
        do {
            var request = ClientRequest(method: "POST", url: url, timeout: .seconds(15), maximumBodyBytes: 4 << 20)
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .array(parameters)]))
            let response = try await transport.send(request)
            let body = try await response.body.collect(upTo: 4 << 20)
            guard response.status == 200 else { throw Trouble.away("\(method) answered \(response.status)") }
            answer = try JSON.parse(body)
        } catch let trouble as Trouble { throw trouble } catch { throw Trouble.away("\(error)") }
        if let error = answer["error"], !error.isNull {
            throw Trouble.refused("\(method): \(error["message"]?.stringValue ?? "\(error)")")
        }
        return answer["result"] ?? .null
    }

    /// A whole number that a method gives.
    func number(_ method: String, _ parameters: [JSONValue]) async throws -> UInt128 {
        let answer = try await ask(method, parameters)
        guard let number = answer.stringValue.flatMap(Self.number) else { throw Trouble.away("\(method) gave no number") }
        return number
    }

    /// What a call of a contract would give, as a word.
    func read(_ contract: EVMAddress, _ data: [UInt8]) async throws -> Word {
        let answer = try await ask("eth_call", [["to": .string(contract.description), "data": .string(Self.hex(data))], "latest"])
        guard let word = answer.stringValue.flatMap({ Word(hex: $0) }) else { throw Trouble.away("eth_call gave no word") }
        return word
    }

    static func number(_ text: String) -> UInt128? { text.hasPrefix("0x") ? UInt128(text.dropFirst(2), radix: 16) : nil }

    static func hex(_ bytes: [UInt8]) -> String { "0x" + Hex.encode(bytes) }

    static func quantity(_ number: UInt128) -> JSONValue { .string("0x" + String(number, radix: 16)) }
}
