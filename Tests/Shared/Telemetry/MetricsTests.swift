import Telemetry
import Testing

@Suite struct MetricsTests {
    @Test func everythingIsRenderedInTheExpositionFormat() {
        let metrics = Metrics()
        metrics.counter("requests_total", help: "All of\nthem.", labels: ["route", "status"]).with("/a\"\\\n", "200").add(3)
        metrics.gauge("depth", help: "Now.").with().set(2.5)
        let histogram = metrics.histogram("seconds", help: "Time.", buckets: [0.1, 1]).with()
        for value in [0.1, 0.5, 7, .nan] { histogram.observe(value) }
        metrics.sample("sampled", help: "Read.") { .infinity }
        metrics.sample("absent", help: "Not there.") { nil }
        #expect(
            metrics.render() == """
                # HELP depth Now.
                # TYPE depth gauge
                depth 2.5
                # HELP requests_total All of\\nthem.
                # TYPE requests_total counter
                requests_total{route="/a\\"\\\\\\n",status="200"} 3
                # HELP sampled Read.
                # TYPE sampled gauge
                sampled +Inf
                # HELP seconds Time.
                # TYPE seconds histogram
                seconds_bucket{le="0.1"} 1
                seconds_bucket{le="1"} 2
                seconds_bucket{le="+Inf"} 3
                seconds_sum 7.6
                seconds_count 3

                """)
    }

    @Test func whatALabelTellsApartIsReadOneByOne() {
        let metrics = Metrics()
        metrics.sample("open", help: "Open.", label: ("pool", "b")) { 2 }
        metrics.sample("open", help: "Open.", label: ("pool", "a")) { 1 }
        metrics.sample("open", help: "Open.", label: ("pool", "gone")) { nil }
        metrics.sample("open", help: "Open.", label: ("pool", "b")) { 3 }
        #expect(metrics.render() == "# HELP open Open.\n# TYPE open gauge\nopen{pool=\"a\"} 1\nopen{pool=\"b\"} 3\n")
    }

    @Test func oneNameIsOneMetric() {
        let metrics = Metrics()
        metrics.counter("a_total", help: "x").with().add()
        metrics.counter("a_total", help: "x").with().add()
        #expect(metrics.counter("a_total", help: "x").with().value == 2)
    }

    @Test func combinationsBeyondTheBoundShareOneSeries() {
        let metrics = Metrics(seriesLimit: 10)
        let family = metrics.counter("b_total", help: "x", labels: ["path"])
        for index in 0..<1000 { family.with("/\(index)").add() }
        #expect(family.with("other").value == 990)
        #expect(metrics.render().split(separator: "\n").count == 2 + 11)
        family.with("/3").add()
        #expect(family.with("/3").value == 2)
    }

    @Test func concurrentObservationsAreAllCounted() async {
        let metrics = Metrics()
        let histogram = metrics.histogram("h", help: "x", buckets: [1, 2, 3]).with()
        let counter = metrics.counter("c_total", help: "x").with()
        let gauge = metrics.gauge("g", help: "x").with()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for index in 0..<10_000 {
                        histogram.observe(Double(index % 5))
                        counter.add()
                        gauge.add(index % 2 == 0 ? 1 : -1)
                    }
                }
            }
        }
        #expect(histogram.snapshot.counts == [32_000, 16_000, 16_000, 16_000])
        #expect(histogram.snapshot.sum == 160_000)
        #expect(counter.value == 80_000)
        #expect(gauge.value == 0)
    }

    @Test func aProcessTellsOfItself() throws {
        let metrics = Metrics()
        metrics.addProcess()
        let lines = metrics.render().split(separator: "\n").filter { !$0.hasPrefix("#") }
        let values = Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let parts = line.split(separator: " ")
                return (String(parts[0]), Double(parts[1]) ?? .nan)
            })
        #expect(try #require(values["process_resident_memory_bytes"]) > 1e6)
        #expect(try #require(values["process_open_fds"]) >= 3)
        #expect(try #require(values["process_max_fds"]) > 10)
        #expect(try #require(values["process_cpu_seconds_total"]) > 0)
        #expect(try #require(values["process_start_time_seconds"]) > 1.7e9)
    }
}
