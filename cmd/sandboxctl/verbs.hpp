// The verbs of sandboxctl. A verb adds itself to the command line and says what it does when chosen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace sandbox::ctl {

/// What the chosen verb does; its result is the exit status.
using Action = std::function<int()>;

void add_profile(CLI::App& program, Action& chosen);
void add_ps(CLI::App& program, Action& chosen);
void add_stats(CLI::App& program, Action& chosen);
void add_stop(CLI::App& program, Action& chosen);
void add_kill(CLI::App& program, Action& chosen);
void add_wait(CLI::App& program, Action& chosen);
void add_logs(CLI::App& program, Action& chosen);
void add_remove(CLI::App& program, Action& chosen);
void add_prune(CLI::App& program, Action& chosen);
void add_doctor(CLI::App& program, Action& chosen);
void add_kept(CLI::App& program, Action& chosen);
void add_diff(CLI::App& program, Action& chosen);
void add_discard(CLI::App& program, Action& chosen);
void add_image(CLI::App& program, Action& chosen);
/// `command` are CMD's words: take_command_of_exec. `arguments` is main's argv.
void add_exec(CLI::App& program, Action& chosen, std::vector<std::string> command, char** arguments);
/// `command` are CMD's words: take_command_of_learn.
void add_learn(CLI::App& program, Action& chosen, std::vector<std::string> command);
void add_completion(CLI::App& program, Action& chosen);

/// Takes CMD's words off those of `exec`: they stand behind the sandbox's name, where no option is ours any more.
[[nodiscard]] std::vector<std::string> take_command_of_exec(std::vector<std::string>& words);

/// The same for `learn`, whose CMD stands behind its options.
[[nodiscard]] std::vector<std::string> take_command_of_learn(std::vector<std::string>& words);

/// `check FILE...`: every mistake that can be found without running anything.
/// \return 0 where there is none.
int check_profiles(const std::vector<std::string>& files);

} // namespace sandbox::ctl
