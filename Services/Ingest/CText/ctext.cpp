#include "ctext.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>
#include <re2/re2.h>
#include <re2/set.h>
#include <utf8proc.h>

uint8_t *ctext_nfc(const uint8_t *text, size_t count, size_t *result_count) {
    utf8proc_uint8_t *result = nullptr;
    auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    utf8proc_ssize_t length = utf8proc_map(text, static_cast<utf8proc_ssize_t>(count), &result, options);
    if (length < 0) {
        free(result);
        return nullptr;
    }
    *result_count = static_cast<size_t>(length);
    return result;
}

void ctext_language(const uint8_t *text, size_t count, char code[8], int *percent, int *is_reliable) {
    CLD2::Language languages[3];
    int percents[3];
    double scores[3];
    int text_bytes = 0, valid_prefix = 0;
    bool reliable = false;
    CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    CLD2::Language language = CLD2::ExtDetectLanguageSummaryCheckUTF8(
        reinterpret_cast<const char *>(text), static_cast<int>(count), true, &hints, 0, languages, percents, scores,
        nullptr, &text_bytes, &reliable, &valid_prefix);
    strncpy(code, CLD2::LanguageCode(language), 7);
    code[7] = 0;
    *percent = 0;
    for (int i = 0; i < 3; i++)
        if (languages[i] == language) *percent = percents[i];
    *is_reliable = reliable;
}

struct ctext_patterns {
    RE2::Set set;
    std::vector<std::unique_ptr<RE2>> each;
    explicit ctext_patterns(const RE2::Options &options) : set(options, RE2::UNANCHORED) {}
};

static RE2::Options quiet_options() {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(64 << 20);
    return options;
}

ctext_patterns *ctext_patterns_new(const char *const *patterns, size_t count, size_t *bad) {
    RE2::Options options = quiet_options();
    auto made = std::make_unique<ctext_patterns>(options);
    for (size_t i = 0; i < count; i++) {
        *bad = i;
        auto one = std::make_unique<RE2>(patterns[i], options);
        if (!one->ok() || made->set.Add(patterns[i], nullptr) < 0) return nullptr;
        made->each.push_back(std::move(one));
    }
    return made->set.Compile() ? made.release() : nullptr;
}

void ctext_patterns_free(ctext_patterns *patterns) { delete patterns; }

int ctext_patterns_match(const ctext_patterns *patterns, const uint8_t *text, size_t count, int *found, size_t capacity) {
    re2::StringPiece piece(reinterpret_cast<const char *>(text), count);
    std::vector<int> hits;
    RE2::Set::ErrorInfo error{RE2::Set::kNoError};
    if (!patterns->set.Match(piece, &hits, &error)) {
        if (error.kind == RE2::Set::kNoError) return 0;
        /* Out of the automaton's memory: ask one by one, slower and sure. */
        for (size_t i = 0; i < patterns->each.size(); i++)
            if (RE2::PartialMatch(piece, *patterns->each[i])) hits.push_back(static_cast<int>(i));
    }
    if (hits.size() > capacity) return -1;
    for (size_t i = 0; i < hits.size(); i++) found[i] = hits[i];
    return static_cast<int>(hits.size());
}

int ctext_patterns_find(const ctext_patterns *patterns, size_t index, const uint8_t *text, size_t count, size_t from,
                        size_t *start, size_t *end) {
    if (index >= patterns->each.size() || from > count) return 0;
    const char *base = reinterpret_cast<const char *>(text);
    re2::StringPiece piece(base, count), match;
    if (!patterns->each[index]->Match(piece, from, count, RE2::UNANCHORED, &match, 1)) return 0;
    *start = static_cast<size_t>(match.data() - base);
    *end = *start + match.size();
    return 1;
}
