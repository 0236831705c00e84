import Telemetry
import Testing

@Suite struct TraceContextTests {
    private let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func theRecommendationsExampleIsReadAndWrittenBack() throws {
        let trace = try #require(TraceContext(traceparent: good))
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanID == "00f067aa0ba902b7")
        #expect(trace.flags == 1)
        #expect(trace.traceparent == good)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    ])
    func whatIsMalformedIsRefused(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func aLaterVersionMayHaveMore() throws {
        let trace = try #require(TraceContext(traceparent: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what-is-next"))
        #expect(trace.traceparent == good)
    }

    @Test func everyChangedByteIsRefusedOrReadAsItself() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = Array(good.utf8)
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 1...127, using: &generator)
            let text = String(decoding: bytes, as: UTF8.self)
            if let trace = TraceContext(traceparent: text), text.hasPrefix("00-") { #expect(trace.traceparent == text) }
        }
    }

    @Test func aNewTraceIsNeverZero() {
        let zero = TraceContext(high: 0, low: 0, span: 0)
        #expect(TraceContext(traceparent: zero.traceparent) == zero)
        #expect(zero.child(span: 0).spanID == "0000000000000001")
        #expect(zero.child(span: 7).traceID == zero.traceID)
    }
}
