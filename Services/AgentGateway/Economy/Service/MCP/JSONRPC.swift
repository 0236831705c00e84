internal import Events
internal import HTTP
internal import JSON
internal import Web

/// JSON-RPC 2.0 as MCP uses it over HTTP: one message in a body, one answer.
enum JSONRPC {
    /// An error that is told by its code.
    struct Fault: Error, Sendable {
        let code: Int
        let message: String
        var data: JSONValue?

        static func parse(_ why: String) -> Fault { Fault(code: -32_700, message: why) }
        static func invalidRequest(_ why: String) -> Fault { Fault(code: -32_600, message: why) }
        static func unknownMethod(_ method: String) -> Fault { Fault(code: -32_601, message: "there is no method \(method)") }
        static func invalidParams(_ why: String) -> Fault { Fault(code: -32_602, message: why) }
        static func headerMismatch(_ why: String) -> Fault { Fault(code: -32_020, message: why) }
        static func unsupportedVersion(_ version: String, _ supported: [String]) -> Fault {
            Fault(
                code: -32_022, message: "Unsupported protocol version",
                data: ["supported": .texts(supported), "requested": .string(version)])
        }

        /// The status that MCP 2026-07-28 gives each code.
        var status: Int {
            switch code {
            case -32_700, -32_600, -32_602, -32_020, -32_021, -32_022: 400
            case -32_601: 404
            default: 200
            }
        }
    }

    static func result(_ id: JSONValue, _ result: JSONValue) -> Response { .json(["jsonrpc": "2.0", "id": id, "result": result]) }

    static func fault(_ id: JSONValue, _ fault: Fault, status: Int) -> Response {
        let error = JSONValue.members([
            "code": .int(Int64(fault.code)), "message": .string(fault.message), "data": fault.data,
        ])
        return .json(["jsonrpc": "2.0", "id": id, "error": error], status: status)
    }
}
