extension BaseModelRecipe {
    /// The bytes of the `tokenizer.json` that the corpus gives.
    public func tokenizer(for corpus: BaseModelCorpus) throws(FormatError) -> [UInt8] {
        try BPETrainer(vocabularySize: configuration.vocabularySize, specialTokens: Self.specialTokens).train(corpus.texts)
    }

    /// The corpus as rows: documents and conversations one after the other, cut every ``rowLength`` tokens. What is left over at
    /// the end is dropped.
    public func rows(
        of corpus: BaseModelCorpus, tokenizer: Tokenizer
    ) throws(FormatError) -> (training: [TrainingExample], holdOut: [TrainingExample]) {
        let marks = Self.specialTokens.compactMap { tokenizer.id(of: $0) }
        guard marks.count == Self.specialTokens.count else {
            throw FormatError(.mismatch, file: "tokenizer.json", "lacks \(Self.specialTokens.joined(separator: ", "))")
        }
        func tokens(_ text: String) -> [Int32] { tokenizer.encode(text, addingSpecialTokens: false, readingSpecialTokens: false) }
        func tokens(_ exchange: BaseModelCorpus.Exchange) -> [Int32] {
            [marks[2]] + tokens(exchange.question) + [marks[3]] + tokens(exchange.answer) + [marks[0]]
        }
        var stream: [Int32] = []
        // Conversations stand between the documents, so that every stretch of training sees both. Ours, which are few, come again
        // and again: one after each document.
        let share = corpus.exchanges.count / max(1, corpus.documents.count) + 1
        for (index, document) in corpus.documents.enumerated() {
            stream += tokens(document) + [marks[0]]
            for exchange in corpus.exchanges.dropFirst(index * share).prefix(share) { stream += tokens(exchange) }
            if !corpus.conversations.isEmpty { stream += tokens(corpus.conversations[index % corpus.conversations.count]) }
        }
        var training: [TrainingExample] = [], holdOut: [TrainingExample] = []
        for row in 0..<stream.count / rowLength {
            let example = TrainingExample(tokens: Array(stream[row * rowLength..<(row + 1) * rowLength]))
            if row % holdOutEvery == 0 { holdOut.append(example) } else { training.append(example) }
        }
        return (training, holdOut)
    }
}
