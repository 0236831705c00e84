import Crypto
import Decisions
import EventLog
import Events
import JSON
import LedgerService
import ServiceTestSupport
import Testing

@Suite struct DecisionMakerTests {
    @Test func whatIsDecidedIsOnTheLogAndInTheState() async throws {
        try await withServiceHouse { house in
            let maker = house.purse()
            let outcome = try await maker.decide("d1", Purse.deposit(100))
            #expect(outcome.facts.map(\.position) == [0] && outcome.facts.map(\.version) == [0] && !outcome.isRepeat && outcome.end == 1)
            let spent = try await maker.decide("s1", Purse.spend(30))
            #expect(spent.facts.map(\.version) == [1])
            #expect(try await maker.query { $0.balance } == 70)
            let logged = try await house.ledger.client(for: .billing).read(from: 0, limit: 10, wait: nil).events
            #expect(try logged.map { try EventHeader(parsing: $0.bytes).type } == ["deposit.received", "hold.placed"])
        }
    }

    @Test func theSameCommandGetsItsFirstEventsAndAnotherBodyIsAConflict() async throws {
        try await withServiceHouse { house in
            let maker = house.purse()
            _ = try await maker.decide("d1", Purse.deposit(100))
            let first = try await maker.decide("s1", Purse.spend(60))
            // Decided anew it would be refused: 40 are left.
            let again = try await maker.decide("s1", Purse.spend(60))
            #expect(again.isRepeat && again.facts.map(\.position) == first.facts.map(\.position))
            #expect(again.facts.map(\.fact.data) == first.facts.map(\.fact.data))
            await #expect(throws: DecisionError.self) { try await maker.decide("s1", body: "other", Purse.spend(1)) }
            // A service that has just started knows them as well.
            let restarted = house.purse()
            #expect(try await restarted.decide("s1", Purse.spend(60)).isRepeat)
            #expect(try await restarted.query { $0.balance } == 40)
        }
    }

    @Test func aRefusalLeavesNothingBehind() async throws {
        try await withServiceHouse { house in
            let maker = house.purse()
            await #expect(throws: Purse.TooLittle(balance: 0)) { try await maker.decide("s1", Purse.spend(1)) }
            _ = try await maker.decide("d1", Purse.deposit(5))
            // The refused command was never a command: it may be sent again.
            #expect(try await maker.decide("s1", Purse.spend(1)).isRepeat == false)
            #expect(house.ledger.tail.size == 2)
        }
    }

    @Test func aDecisionThatOneAppendCannotTakeChangesNothing() async throws {
        try await withServiceHouse { house in
            let maker = house.purse()
            _ = try await maker.decide("d1", Purse.deposit(5))
            await #expect {
                _ = try await maker.decide("d2") { _, _ in
                    try (0...AppendRequest.maximumEvents).map { _ in try Purse.event("deposit.received", 1) }
                }
            } throws: { "\($0)".contains("1025 events") }
            #expect(try await maker.query { $0.balance } == 5)
            let whole = try await maker.decide("d3") { _, _ in
                try (0..<AppendRequest.maximumEvents).map { _ in try Purse.event("deposit.received", 1) }
            }
            #expect(whole.facts.count == AppendRequest.maximumEvents)
            #expect(try await maker.query { $0.balance } == 5 + AppendRequest.maximumEvents)
        }
    }

    @Test func aRefusalIsGivenOnlyByAStateThatIsUpToDate() async throws {
        try await withServiceHouse { house in
            let early = house.purse()
            _ = try await early.decide("d0", Purse.deposit(1))
            // Another instance brings money in; nobody follows the log for the first one.
            _ = try await house.purse().decide("d1", Purse.deposit(100))
            let outcome = try await early.decide("s1", Purse.spend(90))
            #expect(outcome.facts.count == 1)
            #expect(try await early.query { $0.balance } == 11)
        }
    }

    @Test func aReadRefusesOnlyWhenItHasSeenAllThatWasOnTheLog() async throws {
        try await withServiceHouse { house in
            let early = house.purse()
            _ = try await early.decide("d0", Purse.deposit(1))
            _ = try await house.purse().decide("d1", Purse.deposit(100))
            // What is known is read as it is; that there is nothing is not said before looking.
            #expect(try await early.query { $0.balance } == 1)
            #expect(try await early.find { $0.balance == 101 ? $0.balance : nil } == 101)
            _ = try await house.purse().decide("s1", actor: "bea", Purse.spend(50))
            let spent = try await early.query { purse in
                guard let spent = purse.spent["bea"] else { throw Purse.TooLittle(balance: purse.balance) }
                return spent
            }
            #expect(spent == 50)
            await #expect(throws: Purse.TooLittle(balance: 51)) {
                try await early.query { purse -> Int in throw Purse.TooLittle(balance: purse.balance) }
            }
            #expect(try await early.find { $0.spent["nobody"] } == nil)
        }
    }

    @Test func twoInstancesNeverSpendTheSameMoney() async throws {
        try await withServiceHouse { house in
            let makers = [house.purse(), house.purse(), house.purse()]
            _ = try await makers[0].decide("d", Purse.deposit(50))
            let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<90 {
                    group.addTask {
                        for attempt in 0... {
                            do {
                                _ = try await makers[number % 3].decide("s\(number)", actor: "m\(number % 3)", Purse.spend(1))
                                return true
                            } catch DecisionError.busy where attempt < 100 {
                                continue
                            } catch is Purse.TooLittle {
                                return false
                            }
                        }
                        return false
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(granted == 50)
            let auditor = house.purse()
            try await following(auditor) {
                try await auditor.waitUntil(house.ledger.tail.size)
                #expect(try await auditor.query { $0.balance } == 0)
                #expect(try await auditor.query { $0.spent.values.reduce(0, +) } == 50)
            }
        }
    }

    @Test func whoIsLaterWithACommandTellsWhatStandsOnTheLog() async throws {
        try await withServiceHouse { house in
            let (early, late) = (house.purse(), house.purse())
            _ = try await early.decide("d0", Purse.deposit(1))
            #expect(try await late.query { $0.balance } == 1)
            let first = try await early.decide("d1", actor: "early", Purse.deposit(100))
            // It has not seen that, and would have made another event of the same command.
            let again = try await late.decide("d1", actor: "late", Purse.deposit(100))
            #expect(again.isRepeat && again.facts.map(\.position) == first.facts.map(\.position))
            #expect(again.facts.map(\.fact.actor) == ["early"])
            #expect(try await late.query { $0.balance } == 101)
            #expect(try await late.decide("s1", Purse.spend(101)).facts.count == 1)
        }
    }

    @Test func behindAnAppendThatLostItsRaceNothingOfTheSameRunIsStored() async throws {
        try await withServiceHouse { house in
            let makers = [house.purse(), house.purse()]
            _ = try await makers[0].decide("d1", Purse.deposit(300))
            let granted = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<600 {
                    group.addTask { (try? await makers[index % 2].decide("s\(index)", Purse.spend(1))) != nil }
                }
                var granted = 0
                for await isGranted in group where isGranted { granted += 1 }
                return granted
            }
            // One that folds the log stops where more was spent than there was.
            #expect(try await house.purse().query { $0.balance } == 300 - granted)
            #expect(granted <= 300 && granted > 0)
        }
    }

    @Test func manyCommandsAtOnceAreEachDecidedOnceInTurn() async throws {
        try await withServiceHouse { house in
            let maker = house.purse()
            _ = try await maker.decide("d", Purse.deposit(200))
            try await following(maker) {
                let outcomes = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<300 {
                        // Every command twice at the same time.
                        for _ in 0..<2 {
                            group.addTask {
                                do { return try await maker.decide("s\(number)", Purse.spend(1)).facts.count } catch is Purse.TooLittle {
                                    return 0
                                }
                            }
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 }
                }
                #expect(outcomes == 400)
                #expect(try await maker.query { $0.balance } == 0)
                #expect(house.ledger.tail.size == 201)
            }
        }
    }

    @Test func eventsOfOthersArriveAndReactionsHappenOnce() async throws {
        try await withServiceHouse { house in
            let ingest = house.ledger.client(for: .ingest)
            let stream = try #require(StreamName("contribution/c1"))
            let event = Event(
                type: "contribution.submitted", stream: stream, time: LedgerClock.system.now(), actor: "bob",
                cause: .command(id: "c1", digest: SHA256.hash(utf8: "c1")), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
                data: ["amount": 3])
            let appended = try await ingest.append(AppendRequest(events: [try event.encoded()]))
            let maker = house.purse()
            try await following(maker) {
                try await maker.waitUntil(appended.end)
                #expect(try await maker.query { $0.mentions } == 1)
                let logged = try await ingest.read(from: appended.position, limit: 1, wait: nil).events
                let fact = try Fact(try #require(logged.first))
                for round in 0..<3 {
                    let outcome = try await maker.decide(
                        .event(id: fact.id), causePosition: fact.position, time: fact.time, actor: fact.actor,
                        correlation: fact.correlation, Purse.deposit(3))
                    #expect(outcome.isRepeat == (round > 0))
                    #expect(outcome.facts.first?.fact.time == fact.time)
                }
                #expect(try await maker.query { $0.balance } == 3)
            }
        }
    }

    @Test func anEventThatCannotBeAppliedStopsItLoudly() async throws {
        try await withServiceHouse { house in
            let client = house.ledger.client(for: .billing)
            let stream = try #require(StreamName("account/purse"))
            let event = Event(
                type: "hold.placed", stream: stream, time: LedgerClock.system.now(), actor: "mallory",
                cause: .command(id: "x", digest: SHA256.hash(utf8: "x")), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
                data: ["amount": 9])
            _ = try await client.append(AppendRequest(events: [try event.encoded()]))
            let maker = house.purse()
            do {
                _ = try await maker.decide("d", Purse.deposit(1))
                Issue.record("decided on a state that can't be")
            } catch DecisionError.stopped(let position, _) {
                #expect(position == 0)
            }
            #expect(await maker.notReady != nil)
            #expect(house.ledger.tail.size == 1)
        }
    }

    @Test func idsComeFromTheirCause() {
        let cause = Cause.command(id: "c", digest: SHA256.hash(utf8: "c"))
        let id = EntityID.make("dn", cause: cause)
        #expect(EntityID.isWellFormed(id, prefix: "dn") && id == EntityID.make("dn", cause: cause))
        #expect(id != EntityID.make("dn", cause: cause, ordinal: 1))
        #expect(!EntityID.isWellFormed("dn_xyz", prefix: "dn") && !EntityID.isWellFormed(id, prefix: "d"))
    }
}
