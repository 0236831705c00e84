import Crypto
@testable import Engine
import Foundation
import TestSupport
import Testing

/// How the base model is made.
struct BaseModelRecipeTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("base") }

    private func corpus() throws -> BaseModelCorpus {
        let page = """
            <!DOCTYPE html><html><head><title>no</title><style>p { x }</style></head><body><!-- <p>not this either, however long the comment is -->
            <h1>A &amp; B</h1><p>People bring <a href="x">data</a>,\n models are tuned on it &#8212; and each answer &lt;is&gt; paid for.
            <table><tr><td>no table, however long its cells may be written in the page</td></tr></table>
            <p>short<p>Every fact is one event in one log, and a pair of brackets &copy; stays where it was.</p><script>if (a<b) {}</script>
            <h2>Next</h2><div>Every fact is one event in one log, and a pair of brackets &copy; stays where it was.</div>
            <p>The last paragraph of this page is long enough to be kept as prose, whatever it says about anything. A page has to hold one paragraph of some length, or it is taken for a list of links; so this one goes on until it has more than two hundred bytes.
            """
        try FileManager.default.createDirectory(atPath: folder.path("pages/deep"), withIntermediateDirectories: true)
        try folder.write(page, to: "pages/deep/one.html")
        try folder.write(page.replacingOccurrences(of: "People", with: "Others"), to: "pages/two.html")
        try folder.write("{\"question\":\"Who?\",\"answer\":\"I.\"}\n", to: "own.jsonl")
        return try BaseModelCorpus(pages: folder.path("pages"), conversations: folder.path("own.jsonl"))
    }

    @Test func `pages give their prose once, without tables, scripts and comments`() throws {
        let corpus = try corpus()
        #expect(
            corpus.documents.first == """
                A & B

                People bring data, models are tuned on it — and each answer <is> paid for.

                Every fact is one event in one log, and a pair of brackets (c) stays where it was.

                Next

                The last paragraph of this page is long enough to be kept as prose, whatever it says about anything. A page has to hold one paragraph of some length, or it is taken for a list of links; so this one goes on until it has more than two hundred bytes.
                """)
        #expect(corpus.documents.count == 1, "the second page says little that is new")
        #expect(corpus.exchanges.map(\.question) == ["A & B", "Next", "A & B"])
        #expect(corpus.conversations.map(\.answer) == ["I."])
        #expect(try self.corpus().digest == corpus.digest)
    }

    @Test func `a folder without pages says which package has them`() throws {
        let error = #expect(throws: FormatError.self) { try BaseModelCorpus(pages: "/nowhere", conversations: "/nowhere") }
        #expect(error?.reason.contains("apt-get install sqlite3-doc") == true)
    }

    @Test func `another corpus than the recipe's is refused before any training`() async throws {
        let corpus = try corpus()
        await #expect(throws: FormatError.self) { try await BaseModelRecipe.standard.train(corpus, to: folder.path("out")) }
        #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
    }

    @Test func `the same recipe gives the same files with one thread and with two, and its record finds a change`() async throws {
        let corpus = try corpus()
        var recipe = BaseModelRecipe.standard
        recipe.corpus = corpus.digest
        recipe.configuration = ModelConfiguration(
            vocabularySize: 320, hiddenSize: 16, intermediateSize: 32, layerCount: 1, headCount: 2, keyValueHeadCount: 1, contextLength: 64,
            tiesEmbeddings: true, endTokens: [0])
        recipe.rowLength = 16
        recipe.holdOutEvery = 5
        recipe.options.epochs = 1
        let one = try await recipe.train(corpus, to: folder.path("one"), threads: 1)
        let two = try await recipe.train(corpus, to: folder.path("two"), threads: 2)
        #expect(one.files == two.files && one.files.count == 4 && one.steps > 0)
        #expect(try BaseModelRecord(folder: folder.path("one")) == one)
        try one.verify(folder: folder.path("one"))
        _ = try LanguageModel(folder: folder.path("one"))
        let template = try #require(try ChatTemplate(folder: folder.path("one")))
        #expect(try template.render([ChatMessage(role: "user", content: "Who?")]) == "<|user|>Who?<|assistant|>")
        try folder.write("{}", to: "one/config.json")
        #expect(throws: FormatError.self) { try one.verify(folder: folder.path("one")) }
    }

    @Test func `the shipped files are those of their record, and the model has learned its language`() async throws {
        let shipped = EngineInterop.root.appendingPathComponent("models/base").path
        let record = try BaseModelRecord(folder: shipped)
        try record.verify(folder: shipped)
        #expect(record.corpus == BaseModelRecipe.standard.corpus)
        let model = try LanguageModel(folder: shipped, precision: .bfloat16), tokenizer = try Tokenizer(folder: shipped)
        #expect(model.configuration == BaseModelRecipe.standard.configuration)
        try tokenizer.requireFit(model.configuration)
        let template = try #require(try ChatTemplate(folder: shipped))
        let talk = [
            ChatMessage(role: "user", content: "What is a token?"),
            ChatMessage(
                role: "assistant", content: "A token is a part of the text that is read from the file and written to the database."),
        ]
        let pool = try ComputePool(threads: 1)
        let tokens = try template.encode(talk, with: tokenizer, addsGenerationPrompt: false)
        let known = try await model.evaluate([TrainingExample(tokens: tokens)], pool: pool)
        let shuffled = try await model.evaluate([TrainingExample(tokens: tokens.sorted())], pool: pool)
        // Guessing among 4,096 tokens costs 8.3 nats each.
        #expect(known.loss < 4.5 && shuffled.loss > known.loss + 1.5, "\(known.loss), \(shuffled.loss)")
    }
}
