// Guesses what comes next from what came before: after the same tokens, the same tokens again (prompt lookup decoding,
// Saxena 2023). Guesses are checked by the model, several in one evaluation; they change the speed,
// and beside that only how sums are rounded.
#pragma once

#include <algorithm>
#include <vector>

#include "llama.h"

namespace parley {

class Lookup {
  public:
    // @param history what stands before the next token; empty: nothing is ever guessed
    explicit Lookup(std::vector<llama_token> history) : history(std::move(history)), active(!this->history.empty()) {}

    void append(llama_token token) {
        if (active) {
            history.push_back(token);
        }
    }

    // What followed the latest place where the last tokens stood before; at most `most` tokens.
    std::vector<llama_token> propose(size_t most) const {
        const size_t wanted = std::min(most, length);
        for (size_t width = LONGEST; active && wanted > 0 && width >= SHORTEST; --width) {
            if (history.size() <= width) {
                continue;
            }
            const auto pattern = history.end() - width;
            for (auto at = pattern - 1;; --at) {
                if (std::equal(pattern, history.end(), at)) {
                    const auto next = at + width;
                    return { next, next + std::min<size_t>(wanted, history.end() - next) };
                }
                if (at == history.begin()) {
                    break;
                }
            }
        }
        return {};
    }

    // Guesses get longer while they are right.
    void judge(size_t proposed, size_t accepted) {
        if (proposed > 0) {
            length = accepted == proposed ? std::min(2 * length + 1, MOST) : FEWEST;
        }
    }

  private:
    static constexpr size_t LONGEST  = 4;   // tokens that must be the same, the more the better
    static constexpr size_t SHORTEST = 2;
    // Tokens guessed at once. With the one before them they fill the groups of four that the CPU's products like.
    static constexpr size_t FEWEST   = 3;
    static constexpr size_t MOST     = 15;

    std::vector<llama_token> history;
    bool   active;
    size_t length = FEWEST;
};

}  // namespace parley
