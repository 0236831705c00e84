import Kafka
import Testing

@Suite struct StatisticsTests {
    @Test func figuresAreReadFromTheDocument() throws {
        let text = """
            {"name":"x","msg_cnt":3,"msg_size":70,"tx":10,"rx":9,"txmsgs":8,"rxmsgs":7,
             "brokers":{"a":{"txerrs":2,"rtt":{"avg":100,"cnt":3}},"b":{"txerrs":1,"rtt":{"avg":500,"cnt":1}},"c":{}},
             "topics":{"t":{"partitions":{"0":{"consumer_lag":5},"1":{"consumer_lag":-1},"-1":{"consumer_lag":9}}}},"new":[1]}
            """
        let statistics = try #require(KafkaStatistics(json: Array(text.utf8)))
        #expect(statistics.queuedMessages == 3)
        #expect(statistics.queuedBytes == 70)
        #expect(statistics.requests == 10)
        #expect(statistics.responses == 9)
        #expect(statistics.messagesSent == 8)
        #expect(statistics.messagesReceived == 7)
        #expect(statistics.transmitErrors == 3)
        #expect(statistics.roundTripMicroseconds == 200)
        #expect(statistics.consumerLag == [KafkaPartition("t", 0): 5])
        #expect(statistics.raw == Array(text.utf8))
    }

    @Test(arguments: ["", "[]", "{\"tx\":\"many\"}", "{", "null"])
    func whatIsNoStatisticsIsNotRead(text: String) { #expect(KafkaStatistics(json: Array(text.utf8)) == nil) }

    @Test func hugeFiguresDoNotTrap() {
        let big = Int.max
        let text =
            #"{"brokers":{"a":{"txerrs":\#(big),"rtt":{"avg":\#(big),"cnt":\#(big)}},"b":{"txerrs":\#(big),"rtt":{"avg":\#(big),"cnt":1}}}}"#
        #expect(KafkaStatistics(json: Array(text.utf8)) != nil)
    }

    @Test(TestCluster.patience) func aClientGivesThemAtItsInterval() async throws {
        let (snapshots, sink) = AsyncStream.makeStream(of: KafkaStatistics.self)
        var configuration = try await TestCluster.configuration()
        configuration.statisticsInterval = .milliseconds(50)
        configuration.observer.statistics = { sink.yield($0) }
        let topic = try await TestCluster.topic()
        try await withProducer(configuration) { producer in
            _ = try await producer.send(batch: numbered(0..<10, topic: topic))
            for await snapshot in snapshots where snapshot.messagesSent == 10 && snapshot.queuedMessages == 0 {
                #expect(snapshot.requests > 0 && snapshot.roundTripMicroseconds != nil)
                break
            }
            #expect(producer.statistics != nil)
        }
    }
}
