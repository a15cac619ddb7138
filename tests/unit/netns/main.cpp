#define BOOST_TEST_MODULE netns
#include <boost/test/included/unit_test.hpp>
