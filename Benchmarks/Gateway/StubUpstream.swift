import Foundation
import HTTP
import HTTPServer
import JSON

/// A model server that costs next to nothing, in a process of its own: OpenAI's stream of so many tokens, without a pause. A prompt that
/// begins with `idle` gets one token and then silence.
enum StubUpstream {
    /// Tokens of an answer; the driver looks for the first.
    static let tokens = 16
    static let token = "word "

    /// Serves until the parent ends it. Says its port first.
    static func serve() async throws {
        let (whole, first) = (chunks(0..<tokens) + ending(), chunks(0..<1))
        var options = Options()
        options.handlerTimeout = nil
        let server = try Server(.ipv4("127.0.0.1", port: 0), options: options) { request in
            let body = try JSON.parse(try await request.body.collect(upTo: 1 << 20))
            let prompt = body["messages"]?.arrayValue?.last?["content"]?.stringValue ?? ""
            guard body["stream"]?.boolValue == true else { return Response(status: 400) }
            guard prompt.hasPrefix("idle") else { return stream([whole]) }
            return stream([first], thenWaits: true)
        }
        FileHandle.standardOutput.write(Data("port \(server.port)\n".utf8))
        try await Task.sleep(for: .seconds(3_600))
    }

    private static func stream(_ pieces: [[UInt8]], thenWaits: Bool = false) -> Response {
        Response(
            headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-cache"],
            body: .stream { writer in
                for piece in pieces { try await writer.write(piece) }
                if thenWaits { try await Task.sleep(for: .seconds(600)) }
            })
    }

    private static func chunks(_ numbers: Range<Int>) -> [UInt8] {
        numbers.flatMap { _ in chunk(#"{"index":0,"delta":{"role":"assistant","content":"\#(token)"},"finish_reason":null}"#, "") }
    }

    private static func ending() -> [UInt8] {
        chunk(#"{"index":0,"delta":{},"finish_reason":"stop"}"#, "")
            + chunk("", #","usage":{"prompt_tokens":12,"completion_tokens":\#(tokens),"total_tokens":\#(12 + tokens)}"#)
            + Array("data: [DONE]\n\n".utf8)
    }

    private static func chunk(_ choice: String, _ more: String) -> [UInt8] {
        let head = #"{"id":"chatcmpl-stub","object":"chat.completion.chunk","created":1700000000,"model":"stub""#
        return Array("data: \(head),\"choices\":[\(choice)]\(more)}\n\n".utf8)
    }
}
