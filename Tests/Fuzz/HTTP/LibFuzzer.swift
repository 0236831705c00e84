// LibFuzzer entry
