// SPDX-License-Identifier: MIT
// A FIFO that nothing writes to is a file that never answers.
#include "collector/os/proc_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace zctrace {
namespace {

namespace fs = std::filesystem;

class ReadingProc : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "zctrace-proc.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }
  std::string silent(const std::string& name) {
    EXPECT_EQ(::mkfifo((directory_ / name).c_str(), 0600), 0);
    return directory_ / name;
  }

  fs::path directory_;
  ProcReader reader_{std::chrono::milliseconds(20)};
};

TEST_F(ReadingProc, AnswersInTheOrderOfTheRequests) {
  fs::create_symlink("/usr/sbin/nginx", directory_ / "exe");
  std::vector<ProcRequest> wanted;
  for (int n = 0; n < 300; n++)
    wanted.push_back({file(std::to_string(n), "text " + std::to_string(n))});
  wanted.push_back({directory_ / "exe", true});
  wanted.push_back({directory_ / "none"});
  wanted.push_back({file("empty", "")});
  const auto answers = reader_.read(wanted);
  ASSERT_EQ(answers.size(), 303U);
  for (std::size_t n = 0; n < 300; n++) EXPECT_EQ(answers[n], "text " + std::to_string(n));
  EXPECT_EQ(answers[300], "/usr/sbin/nginx");
  EXPECT_EQ(answers[301], std::nullopt);
  EXPECT_EQ(answers[302], "");
}

TEST_F(ReadingProc, ReadsNoMoreThanItsLimit) {
  const auto text = reader_.read_one(file("long", std::string(1'000'003, 'a')));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), ProcReader::kMostBytes);
}

TEST_F(ReadingProc, ReadsLongFilesInPartsIfAsked) {
  ProcReader reader(ProcReader::kPatience, ProcReader::kMostUnanswered, 1 << 20);
  std::string text;
  for (int n = 0; text.size() < 900'000; n++) text += std::to_string(n) + "\n";
  for (const std::size_t size : {4095U, 4096U, 4097U, 8192U, 900'000U})
    EXPECT_EQ(reader.read_one(file("long", text.substr(0, size))), text.substr(0, size)) << size;
  EXPECT_EQ(reader.read_one(file("longer", std::string(2 << 20, 'a'))), std::string(1 << 20, 'a'));
  EXPECT_EQ(reader.read_one(file("a", "1")), "1");
}

TEST_F(ReadingProc, LeavesOutAFileThatDoesNotAnswer) {
  const auto answers = reader_.read(
      {{file("a", "1")}, {silent("s")}, {file("b", "2")}, {silent("t")}, {file("c", "3")}});
  EXPECT_EQ(answers,
            (std::vector<std::optional<std::string>>{"1", std::nullopt, "2", std::nullopt, "3"}));
  EXPECT_EQ(reader_.read_one(directory_ / "a"), "1");
}

TEST_F(ReadingProc, GivesUpAfterAFewFilesThatDoNotAnswer) {
  std::vector<ProcRequest> wanted;
  for (int n = 0; n < 100; n++) wanted.push_back({silent(std::to_string(n))});
  for (const auto& answer : reader_.read(wanted)) EXPECT_EQ(answer, std::nullopt);
  EXPECT_EQ(reader_.read_one(file("a", "1")), "1");
}

TEST_F(ReadingProc, DoesNotAskASilentFileAgainForAWhile) {
  std::vector<ProcRequest> wanted;
  for (int n = 0; n < 9; n++) wanted.push_back({silent(std::to_string(n))});
  wanted.push_back({file("a", "1")});
  // Each call gives up after three of them, so the fourth reaches the file behind them.
  for (int call = 0; call < 3; call++) EXPECT_EQ(reader_.read(wanted).back(), std::nullopt);
  EXPECT_EQ(reader_.read(wanted).back(), "1");
}

TEST_F(ReadingProc, LeavesNoChild) {
  {
    ProcReader reader(std::chrono::milliseconds(20));
    reader.read({{silent("s")}, {file("a", "1")}});
  }
  // Killed children disappear when they are waited for.
  while (::waitpid(-1, nullptr, 0) > 0) continue;
  EXPECT_EQ(reader_.read_one(directory_ / "a"), "1");
}

}  // namespace
}  // namespace zctrace
