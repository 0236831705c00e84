extension TrainingExample {
    /// The least run of the prompt's tokens that is the prompt's and not the model's where the answer repeats it: some four words.
    public static let echo = 6

    /// What a model said to a prompt, as influence measures it: the answer's tokens count, but for those in a run of ``echo`` that the prompt
    /// has. Who asks for a text to be repeated has not been helped by whoever wrote it.
    ///
    /// - Parameter context: the most tokens that the model reads; of more the last are taken.
    /// - Returns: nil where the answer says nothing that the prompt had not said.
    public static func answer(_ answer: [Int32], to prompt: [Int32], context: Int) -> TrainingExample? {
        let tokens = Array((prompt + answer).suffix(context))
        let start = tokens.count - answer.count
        var counts = [Bool](repeating: false, count: max(0, start)) + answer.suffix(context).map { _ in true }
        if prompt.count >= echo, answer.count >= echo {
            let known = Set((0...prompt.count - echo).map { prompt[$0..<$0 + echo] })
            for first in 0...answer.count - echo where known.contains(answer[first..<first + echo]) {
                for place in max(0, start + first)..<max(0, start + first + echo) { counts[place] = false }
            }
        }
        let example = TrainingExample(tokens: tokens, counts: counts)
        return example.targets.isEmpty ? nil : example
    }
}
