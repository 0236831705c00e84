internal import JSON
internal import Web

/// A2A's own errors (§ Error Handling), with the ErrorInfo that tells them apart.
enum A2AFault {
    private static func fault(_ code: Int, _ reason: String, _ message: String, _ more: JSONObject = JSONObject()) -> JSONRPC.Fault {
        JSONRPC.Fault(
            code: code, message: message,
            data: [
                [
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": .string(reason), "domain": "a2a-protocol.org",
                    "metadata": .object(more),
                ]
            ])
    }

    static func noTask(_ id: String) -> JSONRPC.Fault { fault(-32_001, "TASK_NOT_FOUND", "there is no task \(id)") }
    static func notCancelable(_ why: String) -> JSONRPC.Fault { fault(-32_002, "TASK_NOT_CANCELABLE", why) }
    static func unsupported(_ what: String) -> JSONRPC.Fault { fault(-32_004, "UNSUPPORTED_OPERATION", "not supported: \(what)") }
    static var contentType: JSONRPC.Fault { fault(-32_005, "CONTENT_TYPE_NOT_SUPPORTED", "parts must be text") }
    static var noExtendedCard: JSONRPC.Fault {
        fault(-32_007, "EXTENDED_AGENT_CARD_NOT_CONFIGURED", "there is no extended card")
    }
    static func version(_ given: String) -> JSONRPC.Fault {
        fault(
            -32_009, "VERSION_NOT_SUPPORTED",
            "A2A \(given.isEmpty ? "0.3 (no A2A-Version)" : String(given.prefix(20))) has no such method here: 1.0 and 0.3 are spoken")
    }

    /// What the economy refuses has no code of its own in A2A.
    static func refused(_ problem: Problem) -> JSONRPC.Fault {
        fault(
            -32_602, problem.type.code.uppercased().split(separator: "-").joined(separator: "_"), problem.detail,
            ["status": .string(String(problem.status))])
    }

    /// As the REST binding says it: google.rpc.Status with its HTTP status.
    static func status(of fault: JSONRPC.Fault) -> (http: Int, rpc: String) {
        switch fault.code {
        case -32_001, -32_601: return (404, "NOT_FOUND")
        case -32_002, -32_003, -32_004, -32_007, -32_008, -32_009: return (400, "FAILED_PRECONDITION")
        case -32_603: return (500, "INTERNAL")
        default:
            // What a rule of ours refuses keeps its own status.
            let own = fault.data?.arrayValue?.first?["metadata"]?["status"]?.stringValue.flatMap { Int($0) } ?? 400
            switch own {
            case 401: return (401, "UNAUTHENTICATED")
            case 403: return (403, "PERMISSION_DENIED")
            case 404: return (404, "NOT_FOUND")
            case 409: return (409, "ABORTED")
            case 500...: return (own, "UNAVAILABLE")
            default: return (400, "INVALID_ARGUMENT")
            }
        }
    }
}
